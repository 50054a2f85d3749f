"""The Littlest JupyterHub: ``/opt/tljh/config/jupyterhub_config.d/platform_auth.py``.

Install platform-auth for the Hub (``sudo /opt/tljh/hub/bin/python3 -m pip install
'platform-auth[hub]'``) and for its users (``sudo -E pip install platform-auth``), then run
``sudo tljh-config reload hub``.
"""

from __future__ import annotations

from platform_auth.hub import configure

c = get_config()

configure(
    c,
    {
        "prod": {
            "admin": {
                "endpoint": "https://flyte.example.com",
                "authType": "Pkce",
                "clientId": "notebook",
                "scopes": ["openid", "profile", "email", "offline_access", "api"],
            },
            "oauth": {"issuer": "https://id.example.com"},
        },
    },
    url="http://127.0.0.1:10701",
    directory="/opt/tljh/state",
    database_url="sqlite:////opt/tljh/state/platform_auth.sqlite",
)

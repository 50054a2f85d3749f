"""A plain JupyterHub: people sign in to the platform once, for all of their servers.

The end of ``jupyterhub_config.py``.
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
    allowed_endpoints=["flyte.example.com"],
    allowed_flows=["pkce", "device"],
)

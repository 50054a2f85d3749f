"""Zero to JupyterHub: ``hub.extraConfig``, where the service is a deployment of its own.

``helm upgrade … --set-file hub.extraConfig.platform_auth=z2jh_config.py``
"""

from __future__ import annotations

import os

from platform_auth.hub import configure

c = get_config()

configure(
    c,
    url="http://platform-auth:8080",
    api_token=os.environ["PLATFORM_AUTH_SERVICE_TOKEN"],
)

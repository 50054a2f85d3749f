"""A process of ours that has no Jupyter server: a broker of its own, on the store of its home."""

from __future__ import annotations

import httpx2

from load.use import order, run
from platform_auth import connect

given = order()
connection = connect("prod")
connection.access_token()  # what a process needs to start is no call
platform = httpx2.Client(auth=connection.http_auth(), trust_env=False)
run(given, lambda url: platform.get(url).status_code)

"""An embedded identity provider and demo platform: for demos, tests and offline use only.

**Not for production.** Anyone who can open its pages signs in as one of three demo people without
a password, the keys are made at start, everything is forgotten at stop. It therefore listens on
loopback addresses only and says what it is on every page and in the log.

::

    from platform_auth.sandbox import Sandbox

    with Sandbox() as sandbox:
        sandbox.issuer          # http://127.0.0.1:PORT, an OpenID Connect provider
        sandbox.platform_url    # http://127.0.0.1:PORT, an HTTP API that wants its tokens
        sandbox.profiles()      # ready profiles, in the shape of profiles.yaml

The protocol is Authlib's server side; what is added here is in-memory state (`tokens`, `codes`,
`devices`, `interactions`), the pages people see, and the wiring.
"""

from __future__ import annotations

from platform_auth.sandbox.journal import TokenRequest
from platform_auth.sandbox.sandbox import Sandbox

__all__ = ["Sandbox", "TokenRequest"]

"""The demo platform: a small HTTP API that accepts the sandbox's access tokens."""

from __future__ import annotations

from typing import Any, Final

from platform_auth.sandbox.bearer import BearerError, BearerVerifier
from platform_auth.sandbox.client import SCOPES
from platform_auth.sandbox.web import Handler

PROJECTS: Final = (
    {
        "id": "weather-nowcast",
        "name": "Weather nowcast",
        "description": "Rain for the next two hours, from radar images, every five minutes.",
    },
    {
        "id": "river-levels",
        "name": "River levels",
        "description": "Forecasts the height of 312 gauges and warns those downstream.",
    },
    {
        "id": "protein-folding",
        "name": "Protein folding",
        "description": "Structure predictions for the lab's candidate enzymes.",
    },
    {
        "id": "library-search",
        "name": "Library search",
        "description": "Finds passages in two million digitised pages by meaning.",
    },
    {
        "id": "night-sky",
        "name": "Night sky",
        "description": "Classifies what last night's telescope images caught moving.",
    },
)
"""What `client` lists in the demo."""


class PlatformHandler(Handler):
    """A handler of the platform's."""

    def signed_in(self, scope: str = "") -> dict[str, Any] | None:
        """Return the token's claims; answer with the challenge and return None without a good one.

        Parameters
        ----------
        scope
            What the token must be allowed.

        """
        verifier: BearerVerifier = self.settings["verifier"]
        try:
            return verifier.verify(self.request.headers.get("Authorization"), scope)
        except BearerError as error:
            self.refuse(error)
            return None

    def refuse(self, error: BearerError) -> None:
        """Answer with what is wrong and where to get a token (RFC 6750 §3, RFC 9728 §5.1)."""
        about = f"{self.settings['resource']}/.well-known/oauth-protected-resource"
        self.set_status(error.status)
        self.set_header("WWW-Authenticate", error.challenge(resource_metadata=about))
        self.finish({"error": error.code or "unauthorized", "error_description": str(error)})


class Projects(PlatformHandler):
    """The projects, for those allowed ``projects:read``."""

    def get(self) -> None:
        """List them."""
        if self.signed_in("projects:read") is not None:
            self.finish({"projects": list(PROJECTS)})


class Me(PlatformHandler):
    """Who the token is about."""

    def get(self) -> None:
        """Send subject, name and email as far as the token tells."""
        claims = self.signed_in()
        if claims is not None:
            known = ("sub", "name", "email")
            self.finish({name: claims[name] for name in known if name in claims})


class Health(PlatformHandler):
    """Whether the platform is up."""

    def get(self) -> None:
        """Say so, to anybody."""
        self.finish({"status": "ok"})


class ResourceMetadata(PlatformHandler):
    """Where to get a token for this platform (RFC 9728 §2)."""

    def get(self) -> None:
        """Send the metadata."""
        self.finish(
            {
                "resource": self.settings["resource"],
                "authorization_servers": [self.settings["issuer"]],
                "scopes_supported": list(SCOPES),
                "bearer_methods_supported": ["header"],
                "resource_name": "Demo platform (sandbox, not for production)",
            }
        )


ROUTES: list[Any] = [
    ("/api/v1/projects", Projects),
    ("/me", Me),
    ("/healthz", Health),
    ("/.well-known/oauth-protected-resource", ResourceMetadata),
]
"""The platform's addresses."""

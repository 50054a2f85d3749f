"""The pages people see: who are you, do you allow this, which device, done."""

from __future__ import annotations

import hashlib
import secrets
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from authlib.oauth2 import OAuth2Error
from tornado import template
from tornado.web import HTTPError

from platform_auth.sandbox.client import SCOPES
from platform_auth.sandbox.interactions import Interaction
from platform_auth.sandbox.people import PEOPLE
from platform_auth.sandbox.routes import ProviderHandler
from platform_auth.sandbox.web import Handler, reason

if TYPE_CHECKING:
    from platform_auth.sandbox.exchange import Request, Response

_TEMPLATES = Path(__file__).parent / "templates"
_COOKIE: Final = "platform_auth_sandbox"
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)


class Page(ProviderHandler):
    """A page; every value in it is escaped."""

    _loader = template.Loader(str(_TEMPLATES), autoescape="xhtml_escape", whitespace="single")

    def show(self, name: str, **values: object) -> None:
        """Send the page made of the template `name`."""
        policy = f"{_POLICY} {_form_target(str(values.get('return_to', '')))}".strip()
        self.set_header("Content-Security-Policy", policy)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(self._loader.load(name).generate(**values))

    def message(self, title: str, text: str, *, tone: str = "good", status: int = 200) -> None:
        """Send a page that only says something."""
        self.set_status(status)
        self.show("message.html", title=title, text=text, tone=tone)

    def browser(self) -> str:
        """Return what tells this browser from others; a new one gets a cookie."""
        known = self.get_cookie(_COOKIE)
        if known:
            return known
        fresh = secrets.token_urlsafe(24)
        self.set_cookie(_COOKIE, fresh, path="/", httponly=True, samesite="Lax")
        return fresh

    def write_error(self, status_code: int, **kwargs: object) -> None:
        """Answer with a page, never with a traceback."""
        text = reason(kwargs.get("exc_info"))
        self.message(
            "This did not work",
            text or f"{HTTPStatus(status_code).phrase}. Please start again.",
            tone="bad",
            status=status_code,
        )


class Home(Page):
    """The front door, for the curious."""

    def get(self) -> None:
        """Say what this is."""
        self.message("Sandbox identity provider", "Start a sign-in from your notebook or terminal.")


class Authorize(Page):
    """The authorization endpoint (RFC 6749 §3.1)."""

    def get(self) -> None:
        """Show the sign-in page, or say what is wrong with the request."""
        try:
            found = self.provider.authorize(self.oauth(), self.browser())
        except ValueError as error:  # Authlib will not quote what RFC 6749 §4.1.2.1 keeps out
            raise HTTPError(400, "The request holds characters that it cannot.") from error
        if isinstance(found, Interaction):
            self.show("sign_in.html", **_shown(found), people=PEOPLE.values())
        elif found.location:
            self.respond(found)
        else:
            self.refuse(found)

    post = get

    def refuse(self, response: Response) -> None:
        """Show an error that must not be sent to the address in the request (§4.1.2.1)."""
        body = response.body if isinstance(response.body, dict) else {}
        text = body.get("error_description") or f"The error is {body.get('error')}."
        self.message("This sign-in request is not valid", text, tone="bad", status=400)


class Step(Page):
    """The pages of one interaction: first who it is, then whether they allow it."""

    def interaction(self, interaction_id: str) -> Interaction:
        """Return the interaction, if this browser has begun it and it is not over."""
        cookie = self.get_cookie(_COOKIE) or ""
        found = self.provider.interactions.get(interaction_id, cookie)
        if found is None:
            raise HTTPError(400, "This page has expired or was used already. Please start again.")
        return found

    def get(self, interaction_id: str) -> None:
        """Show the page that is due."""
        found = self.interaction(interaction_id)
        if found.person is None:
            self.show("sign_in.html", **_shown(found), people=PEOPLE.values())
        else:
            self.show("consent.html", **_shown(found), person=found.person)

    def post(self, interaction_id: str) -> None:
        """Take what the person pressed."""
        found = self.interaction(interaction_id)
        if not found.accepts(self.get_body_argument("csrf", "")):
            raise HTTPError(403, "This form did not come from this page. Please start again.")
        decision = self.get_body_argument("decision", "")
        if decision in {"allow", "deny"}:
            self.decide(found, allowed=decision == "allow")
            return
        found.person = PEOPLE.get(self.get_body_argument("person", ""))
        self.redirect(f"/interaction/{found.id}", status=303)

    def decide(self, interaction: Interaction, *, allowed: bool) -> None:
        """End the interaction; a yes counts only from somebody who has said who they are."""
        if allowed and interaction.person is None:
            raise HTTPError(400, "Choose who you are first.")
        self.provider.interactions.end(interaction)
        response = interaction.finish(interaction.person if allowed else None)
        if response is not None:
            self.respond(response)
        elif allowed:
            self.message("You are signed in", "Go back to your device; you can close this tab.")
        else:
            self.message("Nothing was allowed", "You can close this tab.", tone="calm")


class Device(Page):
    """Where people enter a device's code (RFC 8628 §3.3)."""

    def get(self) -> None:
        """Ask for the code; the complete address fills it in."""
        self.ask(self.get_query_argument("user_code", ""))

    def post(self) -> None:
        """Begin the sign-in the code stands for."""
        typed = self.get_body_argument("user_code", "")
        if not self.accepts_form():
            raise HTTPError(403, "This form did not come from this page. Please start again.")
        credential = self.provider.devices.by_user_code(typed)
        if credential is None:
            self.set_status(400)
            self.ask(typed, problem="No device is waiting with this code. Is it still the same?")
            return
        found = self.provider.approve_device(credential, self.browser())
        self.redirect(f"/interaction/{found.id}", status=303)

    def ask(self, user_code: str, problem: str = "") -> None:
        """Show the form."""
        csrf = _form_token(self.browser())
        self.show("device.html", user_code=user_code, problem=problem, csrf=csrf)

    def accepts_form(self) -> bool:
        """Tell whether the form was made for this browser."""
        expected = _form_token(self.get_cookie(_COOKIE) or "nobody")
        return secrets.compare_digest(
            expected.encode(), self.get_body_argument("csrf", "").encode()
        )


class EndSessionPage(Page):
    """Signing out (OpenID Connect RP-Initiated Logout §2)."""

    def get(self) -> None:
        """Sign out, then go where the client asked to, or say that it is done."""
        try:
            request: Request = self.oauth()
            response = self.provider.create_endpoint_response("end_session", request)
        except OAuth2Error as error:
            raise HTTPError(400, "The request to sign out is not valid.") from error
        if response is None:
            self.message("You are signed out", "You can close this tab.")
        elif response.location:
            self.respond(response)
        else:
            raise HTTPError(400, "The request to sign out is not valid.")

    post = get


class Asset(Handler):
    """The style sheet and the icon."""

    def get(self, name: str) -> None:
        """Send it."""
        kind = "text/css" if name.endswith(".css") else "image/svg+xml"
        self.set_header("Content-Type", f"{kind}; charset=utf-8")
        self.finish((_TEMPLATES / name).read_bytes())


def _form_target(return_to: str) -> str:
    # Chromium holds form-action against the redirect that follows a form, too, and a content
    # policy cannot name an IPv6 address (CSP Level 3 §2.3.1): there the scheme must do.
    return return_to.partition("//")[0] if "[" in return_to else return_to


def _form_token(browser: str) -> str:
    return hashlib.sha256(browser.encode()).hexdigest()


def _shown(interaction: Interaction) -> dict[str, Any]:
    return {
        "interaction": interaction,
        "client": interaction.client,
        "allowances": [text for word, text in SCOPES.items() if word in interaction.scope.split()],
        "return_to": interaction.return_to,
    }


PAGES: list[Any] = [
    ("/", Home),
    ("/authorize", Authorize),
    ("/interaction/([A-Za-z0-9_-]+)", Step),
    ("/device", Device),
    ("/end-session", EndSessionPage),
    (r"/(sandbox\.css|sandbox\.svg)", Asset),
]
"""Where people go."""

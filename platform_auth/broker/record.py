"""What is kept of a signed-in session, in memory and at rest."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..oauth.identity import Identity
from ..oauth.tokens import TokenSet
from ..secret import Secret
from .realm import realm_of

if TYPE_CHECKING:
    from ..config import Profile
    from ..oauth.context import FlowContext
    from .clock import Clock


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of one signed-in session.

    Parameters
    ----------
    profile
        Its name.
    realm
        What the profile was when it was signed in to, see `realm_of`: the tokens are for that.
    flow
        How it was signed in, and so how it is refreshed.
    tokens
        The last token response.
    issued_at
        Seconds since the epoch.
    deadline
        When the access token expires, by the monotonic clock of the process that keeps it.
    generation
        Counts the responses: whoever finds a higher one than his own was overtaken.
    signed_in_at
        When the sign-in ended that this goes back to, in seconds since the epoch; a refresh keeps
        it.
    header
        The header that the platform wants the access token in.
    authority
        Who issued it, see `authority_of`; empty where nobody knows.
    speaks
        Which protocol the platform has shown to speak (``flyte``, ``flyte2``).

    """

    profile: str
    realm: str
    flow: str
    tokens: TokenSet
    issued_at: float
    deadline: float
    generation: int = 1
    signed_in_at: float = 0.0
    header: str = "authorization"
    authority: str = ""
    speaks: str | None = None

    @property
    def expires_at(self) -> float:
        """When the access token expires, in seconds since the epoch."""
        return self.issued_at + self.tokens.expires_in


def new_record(  # noqa: PLR0913 - what a response is the outcome of
    profile: Profile,
    flow: str,
    tokens: TokenSet,
    clock: Clock,
    context: FlowContext,
    *,
    before: Record | None = None,
) -> Record:
    """Return the record of a token response that has just arrived.

    Parameters
    ----------
    profile, flow, tokens, clock
        What signed in to what, how, with which result, and whose time it is.
    context
        What the flow worked with.
    before
        The record that this one prolongs; None after a sign-in.

    """
    now = clock.time()
    return Record(
        profile=profile.name,
        realm=realm_of(profile.config),
        flow=flow,
        tokens=tokens,
        issued_at=now,
        deadline=clock.monotonic() + tokens.expires_in,
        generation=before.generation + 1 if before else 1,
        signed_in_at=before.signed_in_at if before else now,
        header=context.config.oauth.authorization_metadata_key or "authorization",
        authority=authority_of(context),
        speaks=context.speaks,
    )


def authority_of(context: FlowContext) -> str:
    """Return a name for who a refresh token may be shown to.

    It is the profile to say so; where the platform says it, another day's answer must not send what
    one server issued to another one.
    """
    return context.config.oauth.issuer or context.metadata.token_endpoint or ""


_SECRETS = ("access_token", "refresh_token", "id_token")


def record_to_dict(record: Record) -> dict[str, Any]:
    """Return the JSON form of a record, its tokens in clear: for a store that encrypts it."""
    tokens = record.tokens
    shown = {name: value.reveal() for name in _SECRETS if (value := getattr(tokens, name))}
    return {
        "profile": record.profile,
        "realm": record.realm,
        "flow": record.flow,
        "issued_at": record.issued_at,
        "generation": record.generation,
        "signed_in_at": record.signed_in_at,
        "header": record.header,
        "authority": record.authority,
        "speaks": record.speaks,
        "expires_in": tokens.expires_in,
        "token_type": tokens.token_type,
        "scopes": list(tokens.scopes),
        "notices": list(tokens.notices),
        "identity": asdict(tokens.identity) if tokens.identity else None,
        **shown,
    }


def record_from_dict(data: dict[str, Any], clock: Clock) -> Record:
    """Return the record that `record_to_dict` described.

    How long the access token lives on is for the wall clock to say: no other spans two processes.

    Raises
    ------
    KeyError, TypeError, ValueError
        It describes none.

    """
    hidden = {name: Secret(data[name]) if data.get(name) else None for name in _SECRETS}
    if hidden["access_token"] is None:
        raise KeyError("access_token")
    identity = data["identity"]
    tokens = TokenSet(
        expires_in=float(data["expires_in"]),
        token_type=str(data["token_type"]),
        scopes=tuple(data["scopes"]),
        notices=tuple(data.get("notices", ())),
        identity=Identity(**identity) if identity else None,
        **hidden,  # type: ignore[arg-type]
    )
    issued_at = float(data["issued_at"])
    # A clock that was set back must not make a token live longer than it was given.
    left = min(issued_at + tokens.expires_in - clock.time(), tokens.expires_in)
    return Record(
        profile=str(data["profile"]),
        realm=str(data["realm"]),
        flow=str(data["flow"]),
        tokens=tokens,
        issued_at=issued_at,
        deadline=clock.monotonic() + left,
        generation=int(data["generation"]),
        signed_in_at=float(data.get("signed_in_at", issued_at)),
        header=str(data.get("header", "authorization")),
        authority=str(data.get("authority", "")),
        speaks=data.get("speaks"),
    )

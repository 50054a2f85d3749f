"""Every error platform_auth raises, in one tree.

::

    PlatformAuthError
    ├── ConfigError                 a setting, a file or an environment variable is wrong
    │   ├── ProfileNotFoundError    no profile of that name
    │   ├── ProfileChangedError     somebody else has changed the profile meanwhile
    │   ├── MissingExtraError       it takes a part of platform-auth that is not installed
    │   └── PolicyError             the administrator's policy refuses it
    ├── SignInError                 a sign-in did not end in tokens
    │   ├── SignInRequiredError     a person must sign in (again)
    │   ├── AccessDeniedError       the person or the provider said no
    │   ├── SignInExpiredError      nobody finished it in time
    │   ├── SignInCancelledError    somebody called it off
    │   └── CallbackError           the redirect that came back is not the one we sent for
    ├── ProviderError               the identity provider answered, but not usefully
    │   ├── DiscoveryError          its metadata is missing, wrong or somebody else's
    │   ├── OAuthError              it answered with an OAuth error code
    │   │   ├── InvalidGrantError   the grant or refresh token is used up, expired or revoked
    │   │   └── InvalidClientError  it does not accept our client id, secret or method
    │   ├── TokenResponseError      its token response cannot be used
    │   └── IdentityError           its id_token does not hold
    ├── TransportError              it could not be reached (worth another try)
    │   ├── TLSError                the connection could not be trusted
    │   └── ProxyError              the HTTP proxy in between refused
    └── BrokerError                 the process that keeps the tokens did not help
        ├── BrokerUnavailableError  it is not there, or too busy
        ├── BrokerRefusedError      it does not know us
        ├── StoreError              what it saved cannot be used, or nothing can be saved
        ├── UnsafeFileError         a file is not what only its owner could have made it
        ├── ServerFailedError       a Jupyter server did not start, or not as it should
        ├── BadRequestError         the call is not one of its protocol
        └── NoSuchCallError         it has no such call here

Each carries a stable ``code`` for programs, all of which ``docs/errors.md`` explains, and, for
people, ``what`` happened, ``why`` and how to ``fix`` it; ``retryable`` tells whether the same call
may succeed later without anybody's doing. None of them ever holds a token, a secret, a code or a
verifier.
"""

from __future__ import annotations

from typing import Any, ClassVar


class PlatformAuthError(Exception):
    """The root of the tree.

    Parameters
    ----------
    what
        What happened, one sentence.
    why
        The cause as far as it is known.
    fix
        What the person can do now; what usually helps with the class of error when omitted.
    retryable
        Whether the same call may succeed later; the class's own answer when omitted.

    """

    code: ClassVar[str] = "error"
    usual_fix: ClassVar[str] = ""
    retryable: bool = False
    retry_after: float | None = None
    """Seconds after which the other side asked to be tried again, where it did."""
    oauth_code: str = ""
    """The OAuth error code behind it, where there is one."""
    debug: bool = False
    """Whether a notebook shows where it came from, too."""

    def __init__(
        self, what: str, *, why: str = "", fix: str = "", retryable: bool | None = None
    ) -> None:
        super().__init__(what)
        self.what, self.why, self.fix = what, why, fix or self.usual_fix
        if retryable is not None:
            self.retryable = retryable

    def __str__(self) -> str:
        """Return what, why and fix, one line each."""
        labelled = (("", self.what), ("Why: ", self.why), ("Fix: ", self.fix))
        return "\n".join(label + text for label, text in labelled if text)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, the ``error`` member of the broker protocol."""
        return {
            "code": self.code,
            "what": self.what,
            "why": self.why,
            "fix": self.fix,
            "retryable": self.retryable,
        }

    @staticmethod
    def from_dict(data: dict[str, Any]) -> PlatformAuthError:
        """Return the error that `to_dict` described; an unknown code becomes the root class."""
        kind = _by_code(PlatformAuthError).get(str(data.get("code")), PlatformAuthError)
        error = kind.__new__(kind)
        PlatformAuthError.__init__(
            error,
            str(data.get("what") or "The sign-in service reported an error."),
            why=str(data.get("why") or ""),
            fix=str(data.get("fix") or ""),
            retryable=bool(data.get("retryable")),
        )
        return error

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the JSON form, so that errors cross processes whatever their constructor."""
        return PlatformAuthError.from_dict, (self.to_dict(),)

    def _render_traceback_(self) -> list[str]:
        """Show people the three sentences in a notebook, not a traceback (an IPython protocol).

        Who debugs gets both, the traceback without the secrets that may stand in it.
        """
        said = [f"{type(self).__name__}: {self}"]
        if not self.debug:
            return said
        import traceback  # `platform-auth token` must not wait for it

        from .oauth.redaction import redact

        return [*redact("".join(traceback.format_exception(self))).splitlines(), "", *said]


def _by_code(kind: type[PlatformAuthError]) -> dict[str, type[PlatformAuthError]]:
    found = {kind.code: kind}
    for child in kind.__subclasses__():
        found |= _by_code(child)
    return found


class ConfigError(PlatformAuthError):
    """A setting, a file or an environment variable is wrong."""

    code = "config_invalid"
    usual_fix = "Correct it where it is set; `platform-auth profiles --explain` says where that is."


class ProfileNotFoundError(ConfigError):
    """There is no profile of that name."""

    code = "profile_not_found"
    usual_fix = "Use one of the names that `platform-auth profiles` lists."


class ProfileChangedError(ConfigError):
    """The profile is not what it was when it was read, or is there already."""

    code = "profile_changed"
    usual_fix = "Open it again and make the change anew."


class MissingExtraError(ConfigError):
    """It takes an optional part of platform-auth that is not installed here."""

    code = "extra_missing"
    usual_fix = "Install the part that it names."


class PolicyError(ConfigError):
    """The administrator's policy refuses what was asked for."""

    code = "policy_refused"
    usual_fix = "Ask the administrator of this server."


class SignInError(PlatformAuthError):
    """A sign-in did not end in tokens."""

    code = "sign_in_failed"
    usual_fix = "Sign in again."


class SignInRequiredError(SignInError):
    """A person must sign in, for the first time or again."""

    code = "sign_in_required"
    usual_fix = "Run %platform_login in a notebook, or `platform-auth login`."


class AccessDeniedError(SignInError):
    """The person, or the provider on its own, said no (RFC 6749 §4.1.2.1 ``access_denied``)."""

    code = "access_denied"
    usual_fix = "Sign in again when you are ready; if you were refused, ask for access."


class SignInExpiredError(SignInError):
    """Nobody finished the sign-in in time."""

    code = "sign_in_expired"
    usual_fix = "Sign in again when you are ready."


class SignInCancelledError(SignInError):
    """Somebody called the sign-in off."""

    code = "sign_in_cancelled"
    usual_fix = "Sign in again when you are ready."


class CallbackError(SignInError):
    """The redirect that came back does not belong to a sign-in of ours (RFC 6749 §10.12)."""

    code = "callback_invalid"
    usual_fix = "Start the sign-in again, and finish it in the same browser."


class ProviderError(PlatformAuthError):
    """The identity provider answered, but not with what the standard says."""

    code = "provider_error"
    usual_fix = "Try again; if it stays, show this to whoever runs the identity provider."


class DiscoveryError(ProviderError):
    """The provider's metadata is missing, wrong, or somebody else's (RFC 8414 §3.3)."""

    code = "discovery_failed"
    usual_fix = "Check oauth.issuer of the profile with whoever runs the identity provider."


class OAuthError(ProviderError):
    """The provider answered with an OAuth error code (RFC 6749 §5.2)."""

    code = "oauth_error"
    usual_fix = "Check clientId, scopes and redirect URI with whoever runs the provider."


class InvalidGrantError(OAuthError):
    """The code or refresh token is used up, expired or revoked: only a person can go on."""

    code = "invalid_grant"
    usual_fix = "Sign in again."


class InvalidClientError(OAuthError):
    """The provider does not accept our client id, its secret or the way it was sent."""

    code = "invalid_client"
    usual_fix = "Check clientId, its secret and oauth.token_endpoint_auth_method."


class TokenResponseError(ProviderError):
    """A token response lacks or garbles something we cannot do without."""

    code = "token_response_invalid"
    usual_fix = "Try again; if it stays, show this to whoever runs the identity provider."


class IdentityError(ProviderError):
    """An id_token fails a check of OpenID Connect Core §3.1.3.7."""

    code = "id_token_invalid"
    usual_fix = "Check clientId and oauth.issuer of the profile, and this machine's clock."


class TransportError(PlatformAuthError):
    """The other side could not be reached; nothing is lost and a later try may work."""

    code = "unreachable"
    usual_fix = "Check the network, the VPN and the proxy; then try again."
    retryable = True


class TLSError(TransportError):
    """The connection could not be trusted."""

    code = "tls_failed"
    usual_fix = "Set admin.caCertFilePath to the authority that signed the certificate."
    retryable = False


class ProxyError(TransportError):
    """The HTTP proxy between us and the provider refused."""

    code = "proxy_failed"
    usual_fix = "Check admin.httpProxyURL or HTTPS_PROXY, and its user name and password."


class BrokerError(PlatformAuthError):
    """The process that keeps the tokens did not help."""

    code = "broker_error"
    usual_fix = "The log of the Jupyter server, or of the command, says why."


class BrokerUnavailableError(BrokerError):
    """The broker is not there, is restarting or is too busy."""

    code = "broker_unavailable"
    usual_fix = "Try again in a moment; if it stays, restart the Jupyter server."
    retryable = True


class BrokerRefusedError(BrokerError):
    """The broker does not accept our credentials."""

    code = "broker_refused"
    usual_fix = "Restart the kernel, so that it gets new credentials."


class StoreError(BrokerError):
    """What is saved cannot be used, or nothing can be saved."""

    code = "store_failed"
    usual_fix = "Run `platform-auth doctor`, which looks at the directory and the key."


class UnsafeFileError(BrokerError):
    """A file or directory is not what only its owner could have made it."""

    code = "unsafe_file"
    usual_fix = "Make it yours alone (chmod go-rwx), or move it away."


class ServerFailedError(BrokerError):
    """A Jupyter server did not start, or not as it should."""

    code = "jupyter_failed"
    usual_fix = "Its log says why."


class BadRequestError(BrokerError):
    """The call is not one of the broker's protocol."""

    code = "bad_request"
    usual_fix = "Have both sides run the same version of platform-auth."


class NoSuchCallError(BrokerError):
    """The broker's protocol has no such call here."""

    code = "no_such_call"
    usual_fix = "Have both sides run the same version of platform-auth."

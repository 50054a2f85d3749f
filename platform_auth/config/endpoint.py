"""Where a platform listens: ``host``, ``host:port``, ``https://host`` or ``dns:///host``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from ..errors import ConfigError

_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")
_DEFAULT_PORTS = {"https": 443, "http": 80}
_HOST = re.compile(r"[\w-]+(\.[\w-]+)*")
_HIGHEST_PORT = 65535
_FORMS = "Write host:port, https://host or dns:///host."


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address, taken apart.

    Parameters
    ----------
    host
        In lower case, without a trailing dot; an IPv6 address without its brackets.
    port
        As written; None when the scheme's own is meant.
    scheme
        ``https``, ``http``, or None when the address has none.
    path
        As written, without a trailing slash.

    """

    host: str
    port: int | None = None
    scheme: str | None = None
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """Take an address apart.

        Raises
        ------
        ConfigError
            It is not an address, has an unknown scheme, or holds a user name or password.

        """
        parts = _split(text.strip().removeprefix("dns:///"))
        address = cls._of(parts, text)
        if parts.query or parts.fragment or (address.path and not address.scheme):
            what = f"The endpoint {text!r} has something behind its host and port."
            raise ConfigError(what, fix=_FORMS)
        return address

    @classmethod
    def of_url(cls, url: str) -> Endpoint:
        """Take a URL apart; its query and fragment are left out.

        Raises
        ------
        ConfigError
            As `parse`.

        """
        return cls._of(_split(url.strip()), url)

    @classmethod
    def _of(cls, parts: SplitResult, text: str) -> Endpoint:
        if "@" in parts.netloc:
            # The text is not repeated: what stands before the @ is a credential.
            what = (
                f"The endpoint {parts.netloc.rpartition('@')[2]!r} holds a user name or password."
            )
            raise ConfigError(
                what, fix="Remove everything before the @: credentials are set apart."
            )
        if parts.scheme not in {"", *_DEFAULT_PORTS}:
            what = f"The endpoint {text!r} begins with {parts.scheme!r}, which is not known here."
            raise ConfigError(what, fix=_FORMS)
        host, port = _host_and_port(parts, text)
        return cls(host, port, parts.scheme or None, parts.path.rstrip("/"))

    @property
    def is_loopback(self) -> bool:
        """Whether it can only be this machine (``localhost``, ``127.0.0.0/8``, ``::1``)."""
        return is_loopback(self.host)

    @property
    def authority(self) -> str:
        """``host[:port]``, an IPv6 host in brackets (RFC 3986 §3.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    def effective_port(self, *, plain: bool = False) -> int:
        """Return the port, or the one its scheme (``http`` when ``plain``) stands for."""
        return self.port or _DEFAULT_PORTS[self.scheme or ("http" if plain else "https")]


def is_loopback(host: str) -> bool:
    """Whether a host (no port, no brackets) is this machine whatever the network says."""
    if host == "localhost":
        return True
    if ":" not in host and not host.startswith("127."):
        return False
    import ipaddress  # kept off the import path of a kernel

    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)  # ::ffff:127.0.0.1 is loopback, too
    return bool((mapped or address).is_loopback)


def check_url(url: str, name: str) -> str:
    """Return a URL of the identity provider that is safe to send credentials to.

    Raises
    ------
    ConfigError
        It is not an absolute ``https`` URL (``http`` is accepted for loopback only), or it holds a
        user name or password.

    """
    url = url.strip()
    parts = _split(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.netloc:
        what = f"{name} is {_shown(url)}, which is not an https:// URL."
        raise ConfigError(what, fix="Write the whole URL, such as https://id.example.com.")
    if "@" in parts.netloc:
        what = f"{name} holds a user name or password."
        raise ConfigError(what, fix="Remove everything before the @.")
    host, _ = _host_and_port(parts, url)
    if parts.scheme == "http" and not is_loopback(host):
        what = f"{name} is {url!r}: plain http would show tokens to everybody on the way."
        raise ConfigError(what, fix="Use https://; http is accepted for localhost only.")
    if parts.fragment:
        what = f"{name} has a fragment (#...), which never reaches a server."
        raise ConfigError(what, fix="Remove the # and what follows.")
    return url


def check_proxy(url: str) -> str:
    """Return the URL of an HTTP or SOCKS proxy; user name and password are welcome there.

    Raises
    ------
    ConfigError
        It has no scheme, an unknown one, or no host.

    """
    parts = _split(url)
    if parts.scheme not in _PROXY_SCHEMES:
        what = f"The proxy {_shown(url)} does not begin with one of {', '.join(_PROXY_SCHEMES)}."
        raise ConfigError(what, fix="Write it as http://proxy.example.com:3128.")
    _host_and_port(parts, _shown(url))
    return url


def password_of(url: str | None) -> str | None:
    """Return the password in a proxy's URL, or what stands in its place; None for none."""
    who = urlsplit(url or "").netloc.rpartition("@")[0]
    return who.partition(":")[2] or who or None


def without_password(url: str) -> str:
    """Return a proxy's URL without user name and password."""
    scheme, slashes, rest = url.rpartition("://")
    return f"{scheme}{slashes}{rest.rpartition('@')[2]}"


def _split(address: str) -> SplitResult:
    if re.search(r"[\s\x00-\x1f\x7f\\]", address):
        what = "An address holds a blank, a backslash or a control character."
        raise ConfigError(what, fix=_FORMS)
    try:
        return urlsplit(address if "://" in address else f"//{address}")
    except ValueError:
        what = f"{_shown(address)} is not an address."
        raise ConfigError(what, fix=_FORMS) from None


def _host_and_port(parts: SplitResult, text: str) -> tuple[str, int | None]:
    host = (parts.hostname or "").removesuffix(".")
    bracketed = parts.netloc.startswith("[")
    try:
        port = parts.port
    except ValueError:
        what = f"The port of {text!r} is not a number from 1 to {_HIGHEST_PORT}."
        raise ConfigError(what, fix=_FORMS) from None
    if port == 0 or not (bracketed or _HOST.fullmatch(host)):
        what = f"{text!r} has no host and port that could be reached."
        raise ConfigError(what, fix=f"{_FORMS} An IPv6 address goes in brackets: [::1]:8080.")
    return host, port


def _shown(url: str) -> str:
    """Return the address for a message, without what stands before an @."""
    head, at, tail = url.rpartition("@")
    return repr(f"…@{tail}" if at and head else url)

"""The magics: ``%platform_login``, ``%platform_status`` and ``%platform_logout``."""

# mypy: allow-untyped-calls, allow-untyped-decorators
# IPython's decorators have no types.

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

from ..errors import PlatformAuthError
from .choice import one_to_leave, session_at, session_of, signed_in

if TYPE_CHECKING:
    from argparse import Namespace

    from IPython.core.interactiveshell import InteractiveShell

    from ..broker.client import BrokerClient
    from .injection import LazyClient
    from .login import Wishes

NAMES: Final = ("platform_login", "platform_status", "platform_logout")
"""The names of all magics here."""

_TIMEOUT: Final = 600.0


@magics_class
class PlatformMagics(Magics):
    """Sign in to platforms from a notebook."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._shell = shell
        self._clients: dict[str, LazyClient] = {}
        self._picker: Any = None

    @line_magic
    @magic_arguments()
    @argument("profile", nargs="?", help="What to sign in to; the default profile when omitted.")
    @argument("--endpoint", metavar="HOST[:PORT]", help="A platform that is in no profile.")
    @argument("--insecure", action="store_true", help="With --endpoint: without TLS.")
    @argument("--flow", help="Another way to get tokens than the profile's, such as device.")
    @argument("--redirect", metavar="WAY", help="server, loopback or paste.")
    @argument("--client", metavar="KIND", help="http, grpc, flytekit or flyte.")
    @argument("--as", dest="name", default="client", metavar="NAME", help="The client's variable.")
    @argument("--scopes", nargs="+", default=[], metavar="S", help="Ask for these scopes, too.")
    @argument(
        "--timeout", type=float, default=_TIMEOUT, metavar="SECONDS", help="How long to wait."
    )
    @argument("--no-wait", action="store_true", help="Do not wait for the person.")
    @argument("--force", action="store_true", help="Sign in anew, also when signed in.")
    @argument("--debug", action="store_true", help="Show where an error came from, too.")
    def platform_login(self, line: str) -> LazyClient | None:
        """Sign in to a platform and get its ready client.

        Shows where to sign in, waits until you have, and puts the client into the variable
        ``client``. If you are signed in already, it takes no time at all.

        Examples::

            %platform_login
            %platform_login prod
            %platform_login prod --client flytekit --as remote
            remote = %platform_login prod
            %platform_login --endpoint flyte.example.com:443
        """
        # A habit from Python, where it keeps a cell from showing its last value.
        arguments = parse_argstring(self.platform_login, line.strip().removesuffix(";"))
        wishes = _wishes(arguments)
        try:
            broker = _broker()
            view = _session(broker, arguments)
            if view is not None:
                return self._log_in(broker, view, wishes)
            self._pick(broker, wishes)
        except PlatformAuthError as error:
            error.debug = arguments.debug
            raise
        return None

    @line_magic
    @magic_arguments()
    def platform_status(self, line: str) -> None:
        """Show who is signed in where."""
        from IPython.display import display

        from .status import StatusTable

        parse_argstring(self.platform_status, line)
        display(StatusTable(_broker().profiles()))

    @line_magic
    @magic_arguments()
    @argument("profile", nargs="?", help="The default profile when omitted.")
    @argument("--all", action="store_true", help="Sign out everywhere.")
    def platform_logout(self, line: str) -> None:
        """Sign out, for every kernel, terminal and tool that shares the session.

        Examples::

            %platform_logout prod
            %platform_logout --all
        """
        arguments = parse_argstring(self.platform_logout, line)
        if arguments.profile and arguments.all:
            what = "Name a profile or give --all, not both."
            raise UsageError(what)
        broker = _broker()
        every, one = arguments.all, arguments.profile
        for name in signed_in(broker) if every else [one_to_leave(broker, one)]:
            self._sign_out(broker, name)

    def forget(self) -> None:
        """Take back what was put into the user's namespace, as far as it still is there."""
        self._shell.drop_by_id(self._clients)
        self._clients.clear()
        if self._picker is not None:
            self._picker.close()

    def _log_in(self, broker: BrokerClient, view: dict[str, Any], wishes: Wishes) -> LazyClient:
        from .login import Login

        client = Login(self._shell, broker, view, wishes).run()
        self._clients[wishes.name] = client
        return client

    def _pick(self, broker: BrokerClient, wishes: Wishes) -> None:
        """Let the person choose a profile, without waiting for it."""
        from .picker import Picker

        if self._picker is not None:
            self._picker.close()
        self._picker = Picker(self._shell, broker, wishes, self._clients)
        self._picker.show()

    def _sign_out(self, broker: BrokerClient, name: str) -> None:
        from .display import show_signed_out

        view = broker.sign_out(name)
        for client in self._clients.values():
            if client.connection.profile == name:
                client.connection.tokens.forget()
        show_signed_out(view)


def _broker() -> BrokerClient:
    from ..connection import default_client

    return default_client()


def _session(broker: BrokerClient, arguments: Namespace) -> dict[str, Any] | None:
    if arguments.endpoint is None:
        return session_of(broker, arguments.profile)
    return session_at(broker, arguments.endpoint, insecure=arguments.insecure)


def _wishes(arguments: Namespace) -> Wishes:
    from .login import Wishes

    if arguments.timeout <= 0:
        what = "--timeout: give a number of seconds above 0."
        raise UsageError(what)
    if arguments.profile is not None and arguments.endpoint is not None:
        what = "Name a profile or give --endpoint, not both."
        raise UsageError(what)
    if arguments.insecure and arguments.endpoint is None:
        what = "--insecure goes with --endpoint; a profile says itself whether it is insecure."
        raise UsageError(what)
    return Wishes(
        flow=arguments.flow,
        redirect=arguments.redirect,
        client=arguments.client,
        name=arguments.name,
        scopes=tuple(arguments.scopes),
        timeout=arguments.timeout,
        wait=not arguments.no_wait,
        force=arguments.force,
    )


def unload(shell: InteractiveShell) -> None:
    """Take the magics away again, and what they put into the user's namespace."""
    magics = shell.magics_manager.registry.pop(PlatformMagics.__name__, None)
    if magics is not None:
        magics.forget()
    for name in NAMES:
        shell.magics_manager.magics["line"].pop(name, None)

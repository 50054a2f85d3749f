"""The Jupyter server extension `PlatformAuth`: its settings, and its life."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.utils import url_path_join
from traitlets import Bool, Dict, Float, List, TraitError, Unicode

from ..broker.broker import Broker
from ..broker.hub_address import HubAddress
from ..broker.hub_service import HubService
from ..broker.observer import Observers
from ..broker.redirects import Redirects
from ..broker.sign_in import TIMEOUT
from ..broker.stores import open_store
from ..broker.upstream import Upstream
from ..config import Policy, Profile, Profiles, ProfileSource
from ..errors import BrokerRefusedError, ConfigError
from . import admin_config
from .api_handler import ROUTE, ApiHandler
from .audit_settings import AuditSettings
from .broken_profiles import BrokenProfiles
from .broker_log import BrokerLog
from .callback_handler import CallbackHandler
from .hub_place import HubPlace
from .hub_session import HubApiHandler, HubLoginHandler
from .kernel_face import KernelFace
from .login_handler import LoginHandler
from .redirect_uri import check_base_url
from .server_observer import ServerObserver
from .user_profiles import UserProfiles
from .user_profiles_handler import USER_PROFILES_ROUTE, UserProfilesHandler

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

    from jupyter_events import EventLogger
    from jupyter_server.serverapp import ServerApp
    from traitlets.config import Config

# Jupyter masks code and state by itself. After a login, `next` holds the whole callback address.
_SCRUBBED: Final = ("code", "state", "iss", "next")


class PlatformAuth(AuditSettings, ExtensionApp):
    """Sign in to platforms from notebooks.

    Its settings are read from ``jupyter_platform_auth_config.{py,json}`` and
    ``jupyter_server_config.{py,json}``. What files say that only root can change wins over what the
    user's own say. A setting that is wrong switches all profiles off, so that no limit is lost by a
    typo; it never keeps the Jupyter server from starting.
    """

    name = "platform_auth"
    description = "Sign in to platforms from notebooks; the refresh token never leaves the server."
    extension_url = "/platform-auth/login"
    load_other_extensions = True

    profiles = Dict(
        help="""Profiles for everybody on this server: name -> the shape of profiles.yaml,
        {"admin": {"endpoint": ..., "authType": ...}, "console": {...}, "oauth": {...},
        "client": ...}. A user's profile of the same name is not used. Name a secret's file or
        variable (clientSecretLocation, clientSecretEnvVar), not the secret: with --debug or
        --show-config Jupyter prints what is set here. Default: none."""
    ).tag(config=True)

    default_profile = Unicode(
        None,
        allow_none=True,
        help="""The profile to use where none is named. Default: None, which leaves it to the
        variable PLATFORM_AUTH_PROFILE, then to `default:` in the user's profiles.yaml, then to the
        only profile there is, then to the one called "default".""",
    ).tag(config=True)

    store = Unicode(
        "file",
        help="""Where sign-ins rest. Default: "file", encrypted in platform-auth/sessions/ of the
        Jupyter data directory, so that they outlive the server and every server and terminal of
        the same home shares them. "keyring" puts them whole into the system's keyring, where that
        has room for them. "memory" ends them with the server. Others come from the entry point
        group platform_auth.stores.""",
    ).tag(config=True)

    redirect_base_url = Unicode(
        None,
        allow_none=True,
        help="""The address of this server as people see it in their browsers, with its base URL:
        https://jupyter.example.com/base/. The redirect URI to register with the identity provider
        is this and "platform-auth/callback". Default: None, which takes the scheme and host of the
        request; behind a proxy that ends TLS set this or ServerApp.trust_xheaders. On a JupyterHub
        there is nothing to set: one redirect URI serves all users and servers,
        https://hub.example.com/hub/user-redirect/platform-auth/callback.""",
    ).tag(config=True)

    allow_user_profiles = Bool(
        default_value=True,
        help="""Whether users may have profiles of their own, in profiles.yaml, in Flyte's files or
        made by code. Default: True.""",
    ).tag(config=True)

    allowed_endpoints = List(
        Unicode(),
        default_value=None,
        allow_none=True,
        help="""The platforms that may be reached at all, also by the profiles set here: hosts,
        host:port or URLs; "*.example.com" stands for every host below example.com. Default: None
        for no limit; an empty list allows nothing.""",
    ).tag(config=True)

    allow_insecure = Bool(
        default_value=True,
        help="""Whether users' profiles may skip the verification of certificates, or use plain
        http to another machine than this. Default: True.""",
    ).tag(config=True)

    allow_commands = Bool(
        default_value=True,
        help="""Whether users' profiles may run a program to get a token. Default: True.""",
    ).tag(config=True)

    allowed_flows = List(
        Unicode(),
        default_value=None,
        allow_none=True,
        help="""The only flows by which anybody may sign in, also to the profiles set here: "pkce",
        "device", "client_credentials", "command" and others that are installed. Default: None for
        all of them.""",
    ).tag(config=True)

    allowed_scopes = List(
        Unicode(),
        default_value=None,
        allow_none=True,
        help="""The only scopes that any sign-in may ask for, also to the profiles set here and
        with %platform_login --scopes; name openid and offline_access, too, where profiles have
        them. Default: None for all.""",
    ).tag(config=True)

    kernel_profiles = Dict(
        value_trait=List(Unicode()),
        help="""The only profiles that kernels of a kind may use: name of a kernelspec -> list of
        profiles; "*" stands for all kinds that are not named. Such a kernel can make no profiles
        of its own. It keeps accidents and borrowed code apart from what they have no business with;
        it is no wall: all kernels run as the same user. Default: none, every kernel may use
        every profile.""",
    ).tag(config=True)

    sign_in_timeout = Float(
        TIMEOUT,
        min=1,
        max=3600,
        help="""Seconds a person has to finish a sign-in, from 1 to 3600. Default: 600.""",
    ).tag(config=True)

    refresh_margin = Float(
        None,
        allow_none=True,
        min=0,
        help="""Seconds before a token expires from which it is renewed in the background.
        Default: None for half of the token's life, but 20 minutes at most. Between 4 and 10 % of
        its life come on top, at random, so that many servers do not come back in one second.""",
    ).tag(config=True)

    _problem: ConfigError | None = None
    _upstream: Upstream | None = None

    # Configuration

    def _load_config(
        self,
        cfg: Config,
        section_names: list[str] | None = None,
        traits: dict[str, Any] | None = None,
    ) -> None:
        """Keep what is wrong for later: Jupyter would end the whole server for it."""
        try:
            super()._load_config(cfg, section_names=section_names, traits=traits)
        except TraitError as error:
            self._problem = _wrong_trait(self, error)

    def _read_profiles(self) -> Profiles:
        """Return the profiles that the configuration allows.

        Raises
        ------
        ConfigError
            The configuration is wrong.

        """
        own = dict(self.profiles)
        admin = admin_config.load_admin_config()
        if admin:
            self._load_config(type(self.config)({type(self).__name__: admin}))
        if self._problem is not None:
            raise self._problem
        if self.redirect_base_url:
            check_base_url(self.redirect_base_url)
        policy = self._policy()
        if "profiles" in admin:
            self.profiles = {**_acceptable(own, self.profiles, policy, self.log), **self.profiles}
        return Profiles(admin=self.profiles, default=self.default_profile, policy=policy)

    def _policy(self) -> Policy:
        return Policy(
            allowed_endpoints=_tuple(self.allowed_endpoints),
            allowed_flows=_tuple(self.allowed_flows),
            allowed_scopes=_tuple(self.allowed_scopes),
            allow_user_profiles=self.allow_user_profiles,
            allow_insecure=self.allow_insecure,
            allow_commands=self.allow_commands,
        )

    # Life

    def initialize_settings(self) -> None:
        """Start the broker and its face for kernels."""
        broker_log = BrokerLog(cast("logging.Logger", self.log))
        broker_log.start()
        self._ends.callback(broker_log.stop)
        scrubbed = self.settings.get("extra_log_scrub_param_keys", [])
        self.settings["extra_log_scrub_param_keys"] = [*scrubbed, *_SCRUBBED]
        self._upstream = self._find_upstream()
        if self._upstream is None:
            self._start_broker()
        else:
            self._ends.push_async_callback(self._upstream.close)
        self._open_to_kernels()

    def _find_upstream(self) -> Upstream | None:
        """Return the Hub's service, where it keeps the sign-ins of this server's user."""
        if HubPlace.of_environment(self._server.base_url) is None:
            return None
        try:
            address = HubAddress.of_environment()
        except BrokerRefusedError as error:
            self._problem = ConfigError(error.what, why=error.why, fix=error.fix)
            return None
        if address is None:
            return None
        self.log.info("Sign-ins are kept by the Hub's service at %s", address.url)
        if self.profiles:
            self.log.warning("c.PlatformAuth.profiles is not used: the Hub's service has its own.")
        redirects = self._new_redirects()
        return Upstream(HubService(address), lambda name: redirects.sign_in_url(name) or "")

    def _start_broker(self) -> None:
        try:
            profiles = self._read_profiles()
            store = open_store(self.store)
        except ConfigError as error:
            self.log.error("platform_auth is switched off: %s", error)  # noqa: TRY400 - it says all
            profiles, store = BrokenProfiles(error), None
        else:
            self._warn(profiles)
        self.broker = Broker(
            profiles,
            self._new_redirects(),
            store=store,
            sign_in_timeout=self.sign_in_timeout,
            refresh_margin=self.refresh_margin,
            observer=Observers(
                ServerObserver(cast("EventLogger", self._server.event_logger)), *self.open_audit()
            ),
        )
        self._ends.push_async_callback(self.broker.close)

    def _new_redirects(self) -> Redirects:
        hub = HubPlace.of_environment(self._server.base_url)
        return Redirects(
            login_path=url_path_join(self._server.base_url, "platform-auth/login"),
            base_url=self.redirect_base_url,
            callback_path=hub.callback_path if hub else None,
            mark=hub.mark if hub else "",
        )

    def _open_to_kernels(self) -> None:
        server = self._server
        identity = f"{server.port} {server.base_url} {server.root_dir}"
        served = self._upstream.private if self._upstream else self.broker
        face = KernelFace(served, server.runtime_dir, identity)
        face.start()
        self._ends.callback(face.stop)
        # A gateway starts its kernels elsewhere, where no path of this machine means anything.
        if not server.gateway_config.gateway_enabled:
            face.attach(server.kernel_manager, self.kernel_profiles)

    def initialize_handlers(self) -> None:
        """Add the pages and the REST face."""
        if self._upstream is not None:
            upstream = {"upstream": self._upstream}
            self.handlers.append((r"platform-auth/login", HubLoginHandler, upstream))
            self.handlers.append((rf"{ROUTE}/.*", HubApiHandler, upstream))
            return
        broker = {"broker": self.broker}
        login = {
            **broker,
            "redirect_base_url": self.redirect_base_url,
            "cookie_seconds": self.sign_in_timeout,
        }
        self.handlers.extend(
            [
                (r"platform-auth/login", LoginHandler, login),
                (r"platform-auth/callback", CallbackHandler, broker),
                (
                    USER_PROFILES_ROUTE,
                    UserProfilesHandler,
                    {**broker, "user_profiles": UserProfiles(self.broker)},
                ),
                (rf"{ROUTE}/.*", ApiHandler, broker),
            ]
        )

    async def stop_extension(self) -> None:
        """Stop what was started; refreshes under way are waited for."""
        await self._ends.aclose()

    @cached_property
    def _ends(self) -> AsyncExitStack:
        return AsyncExitStack()

    @property
    def _server(self) -> ServerApp:
        return cast("ServerApp", self.serverapp)  # linked before anything here runs

    def _warn(self, profiles: Profiles) -> None:
        for problem in profiles.problems:
            self.log.warning("%s", problem)
        for name in _unverified(profiles):
            self.log.warning(
                "The profile %s skips the verification of certificates (insecureSkipVerify):"
                " anybody on the way can read its tokens.",
                name,
            )


def _tuple(trait: object) -> tuple[str, ...] | None:
    # The type of such a trait does not tell that None is allowed.
    return None if trait is None else tuple(cast("list[str]", trait))


def _wrong_trait(app: PlatformAuth, error: TraitError) -> ConfigError:
    """Return what is wrong without the value, which Traitlets quotes: it may hold a secret."""
    named = re.search(r"'(\w+)' trait", str(error))
    trait = app.traits(config=True).get(named[1]) if named else None
    if trait is None:
        return ConfigError("A setting of c.PlatformAuth cannot be used.")
    what = f"c.PlatformAuth.{trait.name} cannot be used as it is set."
    return ConfigError(what, fix=f"It should be {trait.info()}. {' '.join(trait.help.split())}")


def _unverified(profiles: Profiles) -> Iterator[str]:
    return (name for name, each in profiles.all().items() if each.config.insecure_skip_verify)


def _acceptable(
    own: dict[str, Any], admin: dict[str, Any], policy: Policy, log: logging.Logger
) -> dict[str, Any]:
    """Return those of the user's own configuration that the administrator's policy allows."""
    passed = {}
    for name, mapping in own.items():
        if name in admin:
            continue
        try:
            policy.check(Profile.from_mapping(name, mapping, source=ProfileSource.USER))
        except ConfigError as error:
            log.warning("%s", error)
        else:
            passed[name] = mapping
    return passed

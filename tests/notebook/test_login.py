from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest
from IPython.core.error import UsageError

from fakes.front import front
from platform_auth import PlatformConfig, connect
from platform_auth.broker.access_token import fingerprint
from platform_auth.config import Policy
from platform_auth.errors import (
    AccessDeniedError,
    ConfigError,
    PolicyError,
    ProfileNotFoundError,
    SignInCancelledError,
    SignInExpiredError,
    SignInRequiredError,
)
from platform_auth.notebook.display import MIME
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Host, Notebook, Person
    from platform_auth.sandbox import Sandbox

PROJECTS = "client.get('/api/v1/projects').raise_for_status().json()['projects']"


def test_waits_for_the_person_and_injects_the_ready_client(
    notebook: Notebook, person: Person
) -> None:
    person.when_asked(person.sign_in)
    notebook.run("%platform_login")
    assert notebook.run(PROJECTS)[0]["id"] == "weather-nowcast"
    asking, done = notebook.bundles[:2]
    assert "Waiting for you to sign in" in asking["text/html"]
    assert MIME in asking
    assert "Signed in as ada@example.com" in done["text/html"]
    assert "href" not in done["text/html"]
    assert MIME not in done


def test_signed_in_already_it_prints_one_line(signed_in: Host, notebook: Notebook) -> None:
    notebook.run("%platform_login demo;")
    platform = signed_in.client.session("demo")["platform"]
    assert notebook.text.startswith(
        f"Signed in to {platform} as ada@example.com · client is ready\n"
    )
    assert notebook.bundles == []
    assert notebook.run(PROJECTS)


def test_the_token_is_fetched_beforehand(signed_in: Host, notebook: Notebook) -> None:
    notebook.run("%platform_login")
    signed_in.stop()
    assert notebook.names["client"].connection.tokens.header()[1].startswith("Bearer ")
    signed_in.start()


class TestEndpoint:
    """A platform that is in no profile."""

    @pytest.fixture
    def endpoint(self, sandbox: Sandbox) -> Iterator[str]:
        with front(sandbox) as endpoint:
            yield endpoint

    def test_is_all_there_is_to_say(
        self, host: Host, notebook: Notebook, sandbox: Sandbox, endpoint: str
    ) -> None:
        line = f"%platform_login --endpoint {endpoint} --insecure --redirect paste"
        client = notebook.run(f"{line} --no-wait")
        name = client.connection.profile
        challenge = host.client.session(name)["challenge"]
        host.client.complete(name, sandbox.sign_in_scripted(challenge["url"]))
        assert notebook.run("client.connection.tokens.header()")[0] == "flyte-authorization"
        # The same endpoint is the same sign-in, also where it is code that names it.
        notebook.run(line)
        assert f"Signed in to {endpoint} as ada@example.com" in notebook.text
        config = PlatformConfig.for_endpoint(endpoint, insecure=True)
        assert connect(config).profile == name

    @pytest.mark.parametrize(
        ("policy", "rule"),
        [
            (Policy(allow_user_profiles=False), "allow_user_profiles"),
            (Policy(allowed_endpoints=("127.0.0.1", "*.example.com")), "allowed_endpoints"),
            (Policy(allow_insecure=False), "allow_insecure"),
        ],
        ids=["no profiles of one's own", "other endpoints", "no plain text"],
    )
    @pytest.mark.usefixtures("host", "policy")
    def test_is_under_the_administrators_policy(self, notebook: Notebook, rule: str) -> None:
        with pytest.raises(PolicyError) as caught:
            notebook.run("%platform_login --endpoint flyte.example.org:80 --insecure --no-wait")
        assert rule in caught.value.why
        assert "client" not in notebook.names

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("demo --endpoint host:443", "not both"),
            ("--insecure", "goes with --endpoint"),
            ("demo --insecure", "goes with --endpoint"),
        ],
    )
    def test_contradictions_are_said(
        self, host: Host, notebook: Notebook, line: str, said: str
    ) -> None:
        with pytest.raises(UsageError, match=said):
            notebook.run(f"%platform_login {line}")

    def test_what_is_no_endpoint_is_said(self, host: Host, notebook: Notebook) -> None:
        with pytest.raises(ConfigError, match="endpoint"):
            notebook.run("%platform_login --endpoint ftp://host")


def test_the_way_back_of_the_browser_can_be_forced(notebook: Notebook, host: Host) -> None:
    notebook.run("%platform_login demo --redirect paste --no-wait")
    assert host.client.session("demo")["challenge"]["kind"] == "paste"
    host.client.cancel("demo")
    with pytest.raises(ConfigError, match="carrier-pigeon"):
        notebook.run("%platform_login demo --redirect carrier-pigeon")


def test_the_client_can_be_named_and_assigned(signed_in: Host, notebook: Notebook) -> None:
    notebook.run("mine = %platform_login demo --as remote")
    assert isinstance(notebook.names["remote"], httpx2.Client)
    assert notebook.names["mine"] is notebook.names["remote"]
    assert "client" not in notebook.names
    assert "remote is ready" in notebook.text


def test_it_says_when_it_replaces_a_variable(signed_in: Host, notebook: Notebook) -> None:
    notebook.run("client = [1]\n%platform_login")
    assert "client was your list" in notebook.text
    notebook.text = ""
    notebook.run("%platform_login")
    assert "was your" not in notebook.text


@pytest.mark.parametrize("name", ["1st", "for", "a.b", "-"])
def test_a_name_that_no_variable_can_have_is_refused(
    host: Host, notebook: Notebook, name: str
) -> None:
    with pytest.raises(UsageError, match="no name for a variable"):
        notebook.run(f"%platform_login --as={name}")
    assert host.client.session("demo")["state"] == "signed_out"


@pytest.mark.parametrize("line", ["--timeout 0", "--timeout soon", "--no-such", "one two"])
def test_wrong_arguments_are_one_line(host: Host, notebook: Notebook, line: str) -> None:
    with pytest.raises(UsageError):
        notebook.run(f"%platform_login {line}")


def test_an_unknown_profile_is_named_with_those_there_are(host: Host, notebook: Notebook) -> None:
    with pytest.raises(ProfileNotFoundError, match="'dmo'") as caught:
        notebook.run("%platform_login dmo")
    assert "demo" in caught.value.fix


def test_an_unknown_client_is_refused_before_anybody_is_asked(
    host: Host, notebook: Notebook
) -> None:
    with pytest.raises(ConfigError, match="no client 'pigeon'"):
        notebook.run("%platform_login --client pigeon")
    assert host.client.session("demo")["state"] == "signed_out"


def test_a_denial_is_one_readable_error(notebook: Notebook, person: Person) -> None:
    person.when_asked(lambda: person.sign_in(approve=False))
    with pytest.raises(AccessDeniedError):
        notebook.run("%platform_login")
    assert "Traceback" not in notebook.text
    assert "AccessDeniedError: " in notebook.text
    assert "Sign-in failed" in notebook.bundles[-1]["text/html"]
    assert "client" not in notebook.names


def test_a_sign_in_called_off_elsewhere_ends_the_cell(
    host: Host, notebook: Notebook, person: Person
) -> None:
    person.when_asked(lambda: host.client.cancel("demo"))
    with pytest.raises(SignInCancelledError):
        notebook.run("%platform_login")
    assert "Sign-in called off" in notebook.bundles[-1]["text/html"]


def test_nobody_comes_in_time(host: Host, notebook: Notebook) -> None:
    with pytest.raises(SignInExpiredError, match="Nobody signed in"):
        notebook.run("%platform_login --timeout 0.2")
    assert host.client.session("demo")["state"] == "signed_out"


def test_without_waiting_the_client_is_there_before_the_person(
    host: Host, notebook: Notebook, person: Person
) -> None:
    notebook.run("%platform_login --no-wait")
    assert MIME in notebook.bundles[0]
    with pytest.raises(SignInRequiredError):
        notebook.run(PROJECTS)
    person.sign_in()
    assert notebook.run(PROJECTS)


def test_force_signs_in_anew(signed_in: Host, notebook: Notebook, person: Person) -> None:
    before = signed_in.tokens()
    person.when_asked(person.sign_in)
    notebook.run("%platform_login --force")
    assert not set(before) & set(signed_in.tokens())


def test_a_forced_sign_in_called_off_leaves_the_old_one(
    signed_in: Host, notebook: Notebook, person: Person
) -> None:
    before = signed_in.tokens()
    person.when_asked(lambda: signed_in.client.cancel("demo"))
    with pytest.raises(SignInCancelledError, match="still signed in as ada"):
        notebook.run("%platform_login --force")
    assert signed_in.tokens() == before


def test_a_sign_in_that_the_provider_has_ended_asks_again(
    host: Host, notebook: Notebook, person: Person, sandbox: Sandbox
) -> None:
    sandbox.settings.access_token_lifetime, kept = 1, sandbox.settings.access_token_lifetime
    sandbox.settings.refresh_token_lifetime, long = 1, sandbox.settings.refresh_token_lifetime
    host.client.sign_in("demo")
    person.sign_in()
    sandbox.advance(5)
    sandbox.settings.access_token_lifetime, sandbox.settings.refresh_token_lifetime = kept, long
    token = host.tokens()[0]
    with pytest.raises(SignInRequiredError):
        host.client.token("demo", stale=fingerprint(Secret(token)))
    person.when_asked(person.sign_in)
    notebook.run("%platform_login")
    assert notebook.run(PROJECTS)


def test_the_wait_outlives_a_restarted_server(
    host: Host, notebook: Notebook, person: Person
) -> None:
    waits = host.waited_for()

    def restart() -> None:
        assert waits.wait(20)  # a cell that does not ask meanwhile cannot notice
        host.restart()
        host.wait_for("signing_in")  # asked anew, as the new one knew nothing of it
        person.sign_in()

    person.when_asked(restart)
    notebook.run("%platform_login")
    assert len([each for each in notebook.bundles if MIME in each]) == 1
    assert notebook.run(PROJECTS)


def test_scopes_that_are_asked_for_anyhow_change_nothing(
    signed_in: Host, notebook: Notebook
) -> None:
    notebook.run("%platform_login demo --scopes openid projects:read")
    assert notebook.names["client"].connection.profile == "demo"


def test_more_scopes_have_a_sign_in_of_their_own(
    host: Host, notebook: Notebook, person: Person
) -> None:
    name = "narrow+projects:read"
    line = "%platform_login narrow --scopes projects:read"
    with pytest.raises(SignInExpiredError):
        notebook.run(f"{line} --timeout 0.2")
    person.when_asked(lambda: person.sign_in(name), name)
    notebook.run(line)
    assert "projects:read" in host.client.session(name)["scopes"]
    assert notebook.run(PROJECTS)
    assert host.client.session("narrow")["state"] == "signed_out"


def test_a_service_has_the_scopes_it_has(host: Host, notebook: Notebook) -> None:
    with pytest.raises(UsageError, match="scopes of demo-service"):
        notebook.run("%platform_login demo-service --scopes email")


def test_a_person_can_enter_a_code(host: Host, notebook: Notebook, person: Person) -> None:
    def approve() -> None:
        challenge = host.client.session("demo-device")["challenge"]
        codes.append(challenge["user_code"])
        person.approve(challenge["verification_uri_complete"])

    codes: list[str] = []
    person.when_asked(approve, "demo-device")
    notebook.run("%platform_login demo-device")
    asking, done = notebook.bundles
    assert codes[0] in asking["text/html"]
    assert codes[0] in asking["text/plain"]
    assert codes[0] not in str(done)


def test_no_secret_is_shown_or_saved(signed_in: Host, notebook: Notebook, person: Person) -> None:
    first = signed_in.tokens()
    person.when_asked(person.sign_in)
    notebook.run("%platform_login --force")
    notebook.run("client")
    notebook.run("client.connection")
    notebook.run("client.connection.tokens, client.connection.status()")
    notebook.run(PROJECTS)
    notebook.run("%platform_status")
    secrets = {*first, *signed_in.tokens(), *person.secrets}
    assert len(secrets) > 8
    assert notebook.saved_secrets(*secrets) == []

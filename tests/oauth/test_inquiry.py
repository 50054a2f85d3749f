"""A platform is asked how to sign in there, whatever way it has of saying so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fakes.flyte import (
    AUTHORIZATION_SERVER,
    CLIENT,
    CONNECT,
    FLYTE_CLIENT,
    FLYTE_METADATA,
    HOST,
    OPENID,
    RESOURCE,
    FlytePlatform,
    camel_case,
    client_message,
    metadata_message,
)
from fakes.play import play
from fakes.provider import ISSUER, reply
from platform_auth.config import OAuthSettings, PlatformConfig
from platform_auth.errors import DiscoveryError, TransportError
from platform_auth.oauth.discovery import Discovered, discover
from platform_auth.oauth.steps import Response, RpcReply

if TYPE_CHECKING:
    from platform_auth.errors import PlatformAuthError

PAGE = Response(200, {"content-type": "text/html"}, b"<html>Console")
GONE = TransportError("It cannot be reached.", fix="Check the network.")
AWAY = RpcReply("UNIMPLEMENTED")


def find(platform: FlytePlatform, **changes: Any) -> Discovered:
    oauth = OAuthSettings(**changes.pop("oauth", {}))
    return play(discover(PlatformConfig("flyte.example.com", oauth=oauth, **changes)), platform)


def refused(platform: FlytePlatform, kind: type[PlatformAuthError], **changes: Any) -> Any:
    with pytest.raises(kind) as caught:
        find(platform, **changes)
    assert caught.value.fix
    return caught.value


def assert_flyte(found: Discovered) -> None:
    """The client is flyteadmin's own, and the server the one beside it, as it says itself."""
    config, metadata = found.config, found.metadata
    assert metadata.token_endpoint == f"{ISSUER}/token"
    assert metadata.authorization_endpoint == f"{ISSUER}/authorize"
    assert (config.client_id, config.scopes) == ("flytectl", ("all", "offline"))
    assert config.oauth.redirect_uri == "http://localhost:53593/callback"
    assert config.oauth.authorization_metadata_key == "flyte-authorization"


class TestEachAnswer:
    @pytest.mark.parametrize("spelling", [dict, camel_case], ids=["snake_case", "camelCase"])
    def test_flytes_documents_over_http(self, spelling: Any) -> None:
        platform = FlytePlatform(
            {AUTHORIZATION_SERVER: spelling(FLYTE_METADATA), CLIENT: spelling(FLYTE_CLIENT)}
        )
        assert_flyte(find(platform))
        assert platform.asked() == [RESOURCE, AUTHORIZATION_SERVER, CLIENT]
        assert not platform.rpcs
        assert find(platform).speaks == "flyte"

    def test_of_two_spellings_the_standards_own_counts(self) -> None:
        both = {"client_id": "snake", **camel_case(FLYTE_CLIENT)}
        platform = FlytePlatform({AUTHORIZATION_SERVER: FLYTE_METADATA, CLIENT: both})
        assert find(platform).config.client_id == "snake"

    def test_flyte_2_by_connect_which_takes_no_grpc(self) -> None:
        platform = FlytePlatform(
            {
                f"{CONNECT}OAuth2Metadata": camel_case(FLYTE_METADATA),
                f"{CONNECT}PublicClientConfig": camel_case(FLYTE_CLIENT),
            }
        )
        assert_flyte(find(platform))
        posts = [each for each in platform.requests if each.method == "POST"]
        assert [each.body for each in posts] == ["{}", "{}"]
        assert posts[0].headers["Connect-Protocol-Version"] == "1"
        assert posts[0].headers["Content-Type"] == "application/json"
        assert not platform.rpcs
        assert find(platform).speaks == "flyte2"

    def test_flyte_1_by_grpc_where_http_leads_nowhere(self) -> None:
        platform = FlytePlatform(
            OAuth2Metadata=metadata_message(), PublicClientConfig=client_message()
        )
        assert_flyte(find(platform))
        assert [rpc.method for rpc, _ in platform.rpcs] == [
            "/flyteidl.service.AuthMetadataService/GetOAuth2Metadata",
            "/flyteidl.service.AuthMetadataService/GetPublicClientConfig",
        ]
        assert find(platform).speaks == "flyte"

    def test_an_address_that_speaks_grpc_alone_is_asked_over_http_once(self) -> None:
        platform = FlytePlatform(
            {RESOURCE: GONE}, OAuth2Metadata=metadata_message(), PublicClientConfig=client_message()
        )
        assert_flyte(find(platform))
        assert platform.asked() == [RESOURCE]

    def test_a_protected_resource_names_its_server(self) -> None:
        resource = {"resource": HOST, "authorization_servers": [ISSUER]}
        platform = FlytePlatform({RESOURCE: resource})
        found = find(platform, client_id="notebook", scopes=["api"])
        assert found.metadata.issuer == ISSUER
        assert found.metadata.revocation_endpoint == f"{ISSUER}/revoke"
        assert (found.config.client_id, found.config.scopes) == ("notebook", ("api",))
        assert found.speaks is None

    def test_a_platform_that_is_an_openid_provider_itself(self) -> None:
        document = {"issuer": HOST, "token_endpoint": f"{HOST}/token"}
        found = find(FlytePlatform({OPENID: document}), client_id="notebook")
        assert (found.metadata.issuer, found.metadata.token_endpoint) == (HOST, f"{HOST}/token")

    def test_questions_ask_for_json_and_may_be_repeated_and_kept(self) -> None:
        platform = FlytePlatform({AUTHORIZATION_SERVER: FLYTE_METADATA, CLIENT: FLYTE_CLIENT})
        find(platform)
        for each in platform.requests:
            assert each.headers["Accept"] == "application/json"
            assert each.replay
            assert each.max_age == 3600


class TestWhoCounts:
    def test_what_the_server_says_itself_counts_more_than_what_the_platform_says_of_it(
        self,
    ) -> None:
        # Else the codes of one provider's people could be had by another (RFC 9700 §4.4).
        mixed = {**FLYTE_METADATA, "token_endpoint": "https://evil.example/token"}
        platform = FlytePlatform({AUTHORIZATION_SERVER: mixed, CLIENT: FLYTE_CLIENT})
        assert find(platform).metadata.token_endpoint == f"{ISSUER}/token"

    def test_a_server_without_metadata_of_its_own_is_as_the_platform_says(self) -> None:
        platform = FlytePlatform({AUTHORIZATION_SERVER: FLYTE_METADATA, CLIENT: FLYTE_CLIENT})
        platform.next["oauth-authorization-server"].append(reply({}, 404))
        platform.next["openid-configuration"].append(reply({}, 404))
        found = find(platform)
        assert_flyte(found)
        assert found.metadata.revocation_endpoint is None

    def test_a_server_that_says_it_is_another_one_is_refused(self) -> None:
        platform = FlytePlatform({AUTHORIZATION_SERVER: FLYTE_METADATA})
        platform.metadata["issuer"] = "https://other.example"
        assert "another issuer" in refused(platform, DiscoveryError).what

    def test_a_platform_that_is_its_own_server_is_not_asked_twice(self) -> None:
        own = {"issuer": f"{HOST}:443/", "tokenEndpoint": f"{HOST}/oauth2/token"}
        platform = FlytePlatform({AUTHORIZATION_SERVER: own, CLIENT: camel_case(FLYTE_CLIENT)})
        assert find(platform).metadata.token_endpoint == f"{HOST}/oauth2/token"
        assert len(platform.asked()) == 3

    def test_endpoints_without_an_issuer_are_taken_as_they_are(self) -> None:
        document = {"token_endpoint": f"{ISSUER}/token"}
        platform = FlytePlatform({AUTHORIZATION_SERVER: document, CLIENT: FLYTE_CLIENT})
        metadata = find(platform).metadata
        assert (metadata.issuer, metadata.token_endpoint) == (None, f"{ISSUER}/token")

    def test_of_several_servers_the_first_that_answers(self) -> None:
        servers = ["https://down.example", ISSUER]
        platform = FlytePlatform({RESOURCE: {"resource": HOST, "authorization_servers": servers}})
        assert find(platform, client_id="notebook").metadata.issuer == ISSUER

    @pytest.mark.parametrize("resource", [f"{HOST}/", f"{HOST}:443", "HTTPS://FLYTE.example.com"])
    def test_the_same_platform_otherwise_spelt(self, resource: str) -> None:
        document = {"resource": resource, "authorization_servers": [ISSUER]}
        found = find(FlytePlatform({RESOURCE: document}), client_id="notebook")
        assert found.metadata.issuer == ISSUER

    @pytest.mark.parametrize(
        "resource", ["https://evil.example", f"{HOST}:8443", f"{HOST}/a", "http:", None, 7, "//["]
    )
    def test_the_metadata_of_another_resource_is_refused(self, resource: object) -> None:
        document = {"resource": resource, "authorization_servers": [ISSUER]}
        error = refused(FlytePlatform({RESOURCE: document}), DiscoveryError)
        assert "another platform" in error.what

    def test_a_platform_below_a_path(self) -> None:
        base = f"{HOST}/team"
        document = {"resource": base, "authorization_servers": [ISSUER]}
        platform = FlytePlatform({f"{RESOURCE}/team": document})
        steps = discover(PlatformConfig(base, client_id="notebook"))
        assert play(steps, platform).metadata.issuer == ISSUER


PAGES = {AUTHORIZATION_SERVER: FLYTE_METADATA, CLIENT: {**FLYTE_CLIENT, "audience": "theirs"}}


class TestTheProfileWins:
    def test_with_each_of_its_settings(self) -> None:
        found = find(
            FlytePlatform(PAGES),
            client_id="flytectl",
            scopes=["mine"],
            audience="mine",
            oauth={
                "redirect_uri": "https://mine.example/cb",
                "authorization_metadata_key": "x-mine",
                "token_endpoint": None,
                "device_authorization_endpoint": "https://mine.example/device",
            },
        )
        config = found.config
        assert (config.scopes, config.audience) == (("mine",), "mine")
        assert config.oauth.redirect_uri == "https://mine.example/cb"
        assert config.oauth.authorization_metadata_key == "x-mine"
        assert found.metadata.device_authorization_endpoint == "https://mine.example/device"
        assert found.metadata.token_endpoint == f"{ISSUER}/token"

    def test_with_none_of_them_it_is_the_platforms(self) -> None:
        assert find(FlytePlatform(PAGES)).config.audience == "theirs"

    def test_what_else_it_says_stays(self) -> None:
        found = find(FlytePlatform(PAGES), ca_cert_file_path="/ca.pem", rpc_retries=7)
        assert (found.config.ca_cert_file_path, found.config.rpc_retries) == ("/ca.pem", 7)

    @pytest.mark.parametrize("oauth", [{"issuer": ISSUER}, {"token_endpoint": f"{ISSUER}/t"}])
    def test_with_a_server_of_its_own_the_platform_is_not_asked(self, oauth: Any) -> None:
        platform = FlytePlatform(PAGES)
        assert find(platform, oauth=oauth).config.client_id is None
        assert not platform.asked()


class TestCommand:
    """Its tokens come from elsewhere: only the header they go in is the platform's to say."""

    def command(self, platform: FlytePlatform, **changes: Any) -> Discovered:
        return find(platform, auth_mode="ExternalCommand", command=["print-token"], **changes)

    def test_it_learns_the_header(self) -> None:
        platform = FlytePlatform({CLIENT: FLYTE_CLIENT})
        found = self.command(platform)
        assert found.config.oauth.authorization_metadata_key == "flyte-authorization"
        assert platform.asked() == [CLIENT]
        assert platform.requests[0].timeout == 5

    def test_by_grpc_too(self) -> None:
        platform = FlytePlatform(PublicClientConfig=client_message())
        found = self.command(platform)
        assert found.config.oauth.authorization_metadata_key == "flyte-authorization"
        assert platform.rpcs[0][0].timeout == 5

    @pytest.mark.parametrize(
        "pages", [{}, {CLIENT: GONE}, {CLIENT: PAGE}, {CLIENT: {"client_id": 7}}]
    )
    def test_it_does_without(self, pages: Any) -> None:
        found = self.command(FlytePlatform(pages))
        assert found.config.oauth.authorization_metadata_key is None

    def test_what_the_profile_says_is_not_asked_for(self) -> None:
        platform = FlytePlatform()
        self.command(platform, oauth={"authorization_metadata_key": "x-mine"})
        assert not platform.requests


class TestInsecure:
    def test_an_insecure_platform_is_asked_over_plain_http_and_its_provider_is_not(self) -> None:
        platform = FlytePlatform({AUTHORIZATION_SERVER: FLYTE_METADATA, CLIENT: FLYTE_CLIENT})
        assert_flyte(find(platform, insecure=True))
        plain = {each.url.partition("://")[0]: each.plain for each in platform.requests}
        assert plain == {"http": True, "https": False}

    def test_any_other_is_not(self) -> None:
        platform = FlytePlatform({AUTHORIZATION_SERVER: FLYTE_METADATA, CLIENT: FLYTE_CLIENT})
        find(platform)
        assert not any(each.plain for each in platform.requests)

    @pytest.mark.parametrize("insecure", [False, True])
    @pytest.mark.parametrize(
        "document",
        [
            {"token_endpoint": "http://flyte.example.com/token"},
            {"token_endpoint": "https://169.254.169.254/token"},
            {"authorization_endpoint": "javascript:alert(1)", "token_endpoint": f"{ISSUER}/t"},
            {"issuer": "http://id.example.com"},
            {"issuer": "https://10.0.0.1"},
            {"issuer": ["https://id.example.com"]},
        ],
    )
    def test_a_server_where_nothing_secret_may_be_sent_is_refused(
        self, document: dict[str, Any], insecure: bool
    ) -> None:
        platform = FlytePlatform({AUTHORIZATION_SERVER: document})
        error = refused(platform, DiscoveryError, insecure=insecure)
        assert "oauth." in error.fix

    @pytest.mark.parametrize("server", ["http://id.example.com", "https://10.0.0.1", 7])
    def test_nor_may_a_protected_resource_name_one(self, server: object) -> None:
        document = {"resource": HOST, "authorization_servers": [server]}
        refused(FlytePlatform({RESOURCE: document}), DiscoveryError)

    def test_on_this_machine_plain_http_is_well(self) -> None:
        document = {"token_endpoint": "http://localhost:30080/oauth2/token"}
        platform = FlytePlatform({AUTHORIZATION_SERVER: document, CLIENT: FLYTE_CLIENT})
        found = play(discover(PlatformConfig("localhost:30080", insecure=True)), platform)
        assert found.metadata.token_endpoint == "http://localhost:30080/oauth2/token"


class TestNothing:
    @pytest.mark.parametrize(
        "platform",
        [
            FlytePlatform({AUTHORIZATION_SERVER: reply({}, 501)}),
            FlytePlatform({f"{CONNECT}OAuth2Metadata": reply({"code": "unimplemented"}, 501)}),
            FlytePlatform(OAuth2Metadata=AWAY),
            FlytePlatform({RESOURCE: GONE}, OAuth2Metadata=AWAY),
        ],
    )
    def test_a_platform_without_authentication_is_said_to_be_that(
        self, platform: FlytePlatform
    ) -> None:
        error = refused(platform, DiscoveryError)
        assert error.what == "flyte.example.com has no authentication configured."
        assert "oauth.issuer" in error.fix

    @pytest.mark.parametrize(
        "platform",
        [
            FlytePlatform(),
            FlytePlatform(
                {f"{CONNECT}OAuth2Metadata": reply({}, 501)}
            ),  # a server that cannot POST
            FlytePlatform(OAuth2Metadata=RpcReply("HTTP 404")),
            FlytePlatform(
                dict.fromkeys([RESOURCE, AUTHORIZATION_SERVER, OPENID], reply({"ok": 1}))
            ),
            FlytePlatform(dict.fromkeys([RESOURCE, AUTHORIZATION_SERVER], reply({}, 303))),
            FlytePlatform(OAuth2Metadata=RpcReply("OK", b"")),
        ],
    )
    def test_one_that_says_nothing_is_another_matter(self, platform: FlytePlatform) -> None:
        error = refused(platform, DiscoveryError)
        assert error.what == "flyte.example.com does not say how to sign in there."
        assert "oauth.issuer" in error.fix

    def test_a_page_in_the_place_of_data_is_told(self) -> None:
        pages = dict.fromkeys([RESOURCE, AUTHORIZATION_SERVER, OPENID, CLIENT], PAGE)
        assert "portal" in refused(FlytePlatform(pages), DiscoveryError).why

    def test_what_grpc_says_instead_is_told(self) -> None:
        error = refused(FlytePlatform(OAuth2Metadata=RpcReply("PERMISSION_DENIED")), DiscoveryError)
        assert "PERMISSION_DENIED" in error.why

    @pytest.mark.parametrize("pages", [{}, {RESOURCE: GONE}])
    def test_without_grpc_the_way_out_is_to_install_it(self, pages: Any) -> None:
        kind = TransportError if pages else DiscoveryError
        assert "Install it." in refused(FlytePlatform(pages), kind).fix

    def test_one_that_is_away_is_a_passing_fault(self) -> None:
        platform = FlytePlatform({RESOURCE: GONE}, OAuth2Metadata=TransportError("Nobody there."))
        assert refused(platform, TransportError).retryable

    def test_one_that_goes_away_in_between_is_none_without_a_client(self) -> None:
        pages = {AUTHORIZATION_SERVER: FLYTE_METADATA, CLIENT: GONE}
        refused(FlytePlatform(pages), TransportError)
        by_grpc = {"OAuth2Metadata": metadata_message(), "PublicClientConfig": GONE}
        refused(FlytePlatform(**by_grpc), TransportError)

    def test_a_message_that_is_none_of_flytes(self) -> None:
        platform = FlytePlatform(OAuth2Metadata=RpcReply("OK", b"\xff\xff"))
        assert "no message of Flyte's" in refused(platform, DiscoveryError).what

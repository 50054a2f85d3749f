from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from flyteidl.service import auth_pb2
from flyteidl2.auth import auth_service_pb2

from platform_auth.errors import DiscoveryError, MissingExtraError
from platform_auth.oauth.flyte_messages import decode

if TYPE_CHECKING:
    from google.protobuf.message import Message

MESSAGES: list[tuple[str, type[Message]]] = [
    ("OAuth2Metadata", auth_pb2.OAuth2MetadataResponse),
    ("OAuth2Metadata", auth_service_pb2.GetOAuth2MetadataResponse),
    ("PublicClientConfig", auth_pb2.PublicClientAuthConfigResponse),
    ("PublicClientConfig", auth_service_pb2.GetPublicClientConfigResponse),
]


@pytest.mark.parametrize(("name", "kind"), MESSAGES)
def test_every_field_of_flytes_own_messages_is_read(name: str, kind: Any) -> None:
    message = kind()
    expected: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if isinstance(value, str):
            setattr(message, field.name, expected.setdefault(field.name, f"a {field.name}"))
        else:
            value.extend(expected.setdefault(field.name, [f"a {field.name}", "another"]))
    expected.pop("dataplane_domain", None)  # Flyte 2's, and not about signing in
    assert decode(name, message.SerializeToString()) == expected


def test_what_is_not_set_is_not_there() -> None:
    assert decode("OAuth2Metadata", b"") == {}


@pytest.mark.parametrize(
    "message", [b"\xff", b"\x0a\xff", b"\x0a\x01\xff", b"<html>", b"\x0a" * 1000]
)
def test_what_is_no_message_is_refused(message: bytes) -> None:
    with pytest.raises(DiscoveryError, match="no message of Flyte's"):
        decode("PublicClientConfig", message)


def test_without_protobuf_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.protobuf.message", None)
    with pytest.raises(MissingExtraError) as caught:
        decode("OAuth2Metadata", b"")
    assert "platform-auth[grpc]" in caught.value.fix

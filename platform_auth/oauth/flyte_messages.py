"""The answers of Flyte's AuthMetadataService, decoded.

They are built here rather than imported: ``flyteidl`` brings a hundred modules for these dozen
strings, and its two generations, which number them alike, cannot be told from what is installed.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from ..errors import DiscoveryError, MissingExtraError

if TYPE_CHECKING:
    from google.protobuf.message import Message

_PACKAGE: Final = "platform_auth.flyte"
_REPEATED: Final = frozenset(
    {
        "response_types_supported",
        "scopes_supported",
        "token_endpoint_auth_methods_supported",
        "code_challenge_methods_supported",
        "grant_types_supported",
        "scopes",
    }
)
# By their numbers, from 1 on (flyteidl/service/auth.proto, flyteidl2/auth/auth_service.proto).
_FIELDS: Final = {
    "OAuth2Metadata": (
        "issuer", "authorization_endpoint", "token_endpoint", "response_types_supported",
        "scopes_supported", "token_endpoint_auth_methods_supported", "jwks_uri",
        "code_challenge_methods_supported", "grant_types_supported",
        "device_authorization_endpoint",
    ),
    "PublicClientConfig": (
        "client_id", "redirect_uri", "scopes", "authorization_metadata_key",
        "service_http_endpoint", "audience",
    ),
}  # fmt: skip


def decode(name: str, message: bytes) -> dict[str, Any]:
    """Return the fields of an answer that are set, by their names.

    Parameters
    ----------
    name
        ``OAuth2Metadata`` or ``PublicClientConfig``: the call without its ``Get``.
    message
        As it came.

    Raises
    ------
    DiscoveryError
        It is no such message.
    MissingExtraError
        There is no protobuf to decode it with.

    """
    try:
        from google.protobuf.message import DecodeError
    except ImportError:
        raise MissingExtraError("protobuf is not installed.", fix=INSTALL) from None
    try:
        decoded = _types()[name].FromString(message)
    except DecodeError:
        what = f"The platform's answer to Get{name} is no message of Flyte's."
        raise DiscoveryError(what, fix="Check the endpoint, and the proxy in between.") from None
    return {
        field.name: list(value) if field.name in _REPEATED else value
        for field, value in decoded.ListFields()
    }


INSTALL: Final = "Run: pip install 'platform-auth[grpc]'"


@cache
def _types() -> dict[str, type[Message]]:
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(
        name="platform_auth/flyte.proto", package=_PACKAGE, syntax="proto3"
    )
    kind = descriptor_pb2.FieldDescriptorProto
    for name, fields in _FIELDS.items():
        message = file.message_type.add(name=name)
        for number, field in enumerate(fields, 1):
            label = kind.LABEL_REPEATED if field in _REPEATED else kind.LABEL_OPTIONAL
            message.field.add(name=field, number=number, type=kind.TYPE_STRING, label=label)
    pool = descriptor_pool.DescriptorPool()  # its own: no other file can clash with it
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))
        for name in _FIELDS
    }

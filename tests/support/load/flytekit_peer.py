"""A process that uses flytekit's own PKCE authenticator, with its tokens in a shared keyring."""

from __future__ import annotations

import logging
from typing import NoReturn

import requests
from flytekit.clients.auth.auth_client import AuthorizationClient
from flytekit.clients.auth.authenticator import (
    ClientConfig,
    PKCEAuthenticator,
    StaticClientConfigStore,
)

from load.use import order, run


def ask_a_person(_client: AuthorizationClient) -> NoReturn:
    """Stand in for the browser that would open, for each process one."""
    msg = "flytekit wants the person to sign in again"
    raise PermissionError(msg)


def call(url: str) -> int:
    """Ask with the token at hand; renew it when it is refused, as its interceptor does."""
    name, value = authenticator.fetch_grpc_call_auth_metadata()
    answer = session.get(url, headers={name: value})
    if answer.status_code != requests.codes.unauthorized:
        return answer.status_code
    authenticator.refresh_credentials()
    name, value = authenticator.fetch_grpc_call_auth_metadata()
    return session.get(url, headers={name: value}).status_code


logging.disable(logging.CRITICAL)
AuthorizationClient.get_creds_from_remote = ask_a_person
given = order()
config = StaticClientConfigStore(ClientConfig(**given.more["config"]))
authenticator = PKCEAuthenticator(given.more["endpoint"], config)
session = requests.Session()
session.trust_env = False
run(given, call)

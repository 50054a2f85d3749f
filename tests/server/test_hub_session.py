from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from platform_auth.broker.reply import Reply
from platform_auth.server.hub_session import HubApiHandler


class Upstream:
    async def answer(self, *_: Any, **__: Any) -> Reply:
        return Reply(200, {"said": "by the service"})


@pytest.fixture
def handler() -> HubApiHandler:
    made = HubApiHandler.__new__(HubApiHandler)
    made._protocol = Upstream()
    made.request = SimpleNamespace(method="PUT", query_arguments={}, path="")
    return made


@pytest.mark.parametrize("path", ["/v1/discover", "/v1/default-profile", "/v1/user-profiles/x"])
async def test_where_the_hub_keeps_sign_ins_nobody_has_platforms_of_their_own(
    handler: HubApiHandler, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(HubApiHandler, "log", logging.getLogger("platform_auth"))
    reply = await handler._answer_to(path, {})
    assert (reply.status, reply.body["error"]["code"]) == (403, "policy_refused")
    assert "administrator's" in reply.body["error"]["what"]


async def test_all_else_the_service_answers(
    handler: HubApiHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform_auth.server.api_handler.browser_of", lambda _: "browser")
    said = {"said": "by the service"}
    assert (await handler._answer_to("/v1/profiles/x", {})).body == said
    assert (await handler._answer_to("/v1/profiles", {})).body == {
        **said,
        "can_add": False,
        "can_choose": False,
    }

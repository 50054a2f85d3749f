"""No route is open: neither by forgetting a decorator nor by anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from jupyter_server.auth import Authorizer
from jupyter_server.base.handlers import APIHandler

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

PATHS = {
    "platform-auth/login": ["platform-auth/login?profile=demo"],
    "platform-auth/callback": ["platform-auth/callback?code=x&state=y"],
    "platform-auth/api/v1/(?:discover|default-profile|user-profiles/[^/]+)": [
        "platform-auth/api/v1/discover",
        "platform-auth/api/v1/default-profile",
        "platform-auth/api/v1/user-profiles/demo",
    ],
    "platform-auth/api/.*": [
        "platform-auth/api/v1/profiles",
        "platform-auth/api/v1/profiles/demo",
        "platform-auth/api/v1/profiles/demo/sign-in",
        "platform-auth/api/v1/profiles/demo/token",
        "platform-auth/api/v1/profiles/demo/qr",
        "platform-auth/api/anything",
    ],
}


def _ours(app: Any) -> Any:
    groups = [rule.target.rules for rule in app.default_router.rules]
    return [
        rule
        for group in groups
        for rule in group
        if getattr(rule.target, "__module__", "").startswith("platform_auth.")
    ]


# With True Jupyter lets everybody in where a decorator is missing; with False it warns as well,
# and warnings are errors here.
@pytest.mark.parametrize("allowed", [False, True])
class TestAnonymous:
    @pytest.fixture
    def server_settings(self, allowed: Any) -> Any:
        return {"allow_unauthenticated_access": allowed}

    async def test_gets_nowhere(self, stranger: Any, jp_serverapp: ServerApp) -> None:
        rules = _ours(jp_serverapp.web_app)
        assert {rule.matcher.regex.pattern.rstrip("$") for rule in rules} == {
            f"/a%40b/{pattern}" for pattern in PATHS
        }

        stranger.http.cookies.set("_xsrf", "ab" * 16, domain="127.0.0.1", path="/")
        tried = 0
        for rule in rules:
            for path in PATHS[rule.matcher.regex.pattern.rstrip("$").removeprefix("/a%40b/")]:
                for method in rule.target.SUPPORTED_METHODS:
                    tried += 1
                    await self._is_refused(stranger, method, path, rule.target)
        assert tried >= 49

    async def _is_refused(self, stranger: Any, method: str, path: str, handler: Any) -> Any:
        answer = await stranger.http.request(method, path, headers=stranger.xsrf)
        if method == "OPTIONS" and issubclass(handler, APIHandler):
            assert (answer.status_code, answer.content) == (200, b""), path  # Jupyter's CORS
        elif answer.status_code == 302:
            assert answer.headers["location"].startswith("/a%40b/login?next="), path
        else:
            exists = handler.__dict__.get(method.lower()) is not None
            assert answer.status_code in ({403} if exists else {403, 405}), (method, path)
        assert "flyte" not in answer.text
        assert "demo" not in answer.text


class Nobody(Authorizer):
    def is_authorized(self, handler: Any, user: Any, action: Any, resource: Any) -> Any:
        asked.append((action, resource))
        return not resource.startswith("platform_auth:")


asked = []


class TestAuthorizer:
    @pytest.fixture
    def server_settings(self) -> Any:
        asked.clear()
        return {"authorizer_class": Nobody}

    async def test_is_asked_by_every_method(self, browser: Any) -> None:
        answers = [
            await browser.get("platform-auth/login?profile=demo"),
            await browser.post("platform-auth/login?profile=demo"),
            await browser.get("platform-auth/callback?code=x&state=y"),
            await browser.get("platform-auth/api/v1/profiles"),
            await browser.post("platform-auth/api/v1/profiles/demo/sign-in", json={}),
            await browser.http.put("platform-auth/api/v1/profiles/x", headers=browser.xsrf),
        ]
        resource = "platform_auth:sessions"

        assert [answer.status_code for answer in answers] == [403] * 6
        assert asked[-6:] == [
            ("write", resource),
            ("write", resource),
            ("write", resource),
            ("read", resource),
            ("write", resource),
            ("write", resource),
        ]

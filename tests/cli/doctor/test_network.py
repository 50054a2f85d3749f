"""The way to a server: its name, its port, its certificate and the proxy in between."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from fakes.certificates import authority
from fakes.forward_proxy import ForwardProxy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Doctor = Callable[..., Any]
    Lines = Callable[[Any, str], list[str]]

LONG = ("an authority for long", 90)


def trusting(tmp_path: Path, *names: Any) -> dict[str, str]:
    path = tmp_path / "ca.pem"
    path.write_bytes(authority(*names).pem)
    return {"caCertFilePath": str(path)}


def test_a_name_that_nobody_knows(doctor: Doctor, lines: Lines) -> None:
    found = doctor("https://no-such-host.invalid")
    assert found.status == 1
    assert lines(found, "fail") == ["DNS: no-such-host.invalid is not known here"]
    assert "TCP" not in found.out  # the way ends there
    assert "discovery" not in found.out
    assert "1 problem, marked ✗." in found.out


def test_a_name_that_cannot_be_one(doctor: Doctor, lines: Lines) -> None:
    found = doctor(f"https://{'a' * 64}.example")
    assert found.status == 1
    assert any(line.startswith("DNS: aaa") for line in lines(found, "fail"))


def test_a_port_that_nobody_listens_on(doctor: Doctor, lines: Lines) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    found = doctor(f"https://127.0.0.1:{port}")
    assert found.status == 1
    assert lines(found, "fail") == [f"TCP: 127.0.0.1:{port} cannot be reached"]
    assert "Why: Connection refused" in found.out
    assert f"is {port} its port?" in found.out


def test_a_certificate_with_months_left(
    doctor: Doctor, lines: Lines, web: Callable[..., Any], tmp_path: Path
) -> None:
    server = web(authority(*LONG).server(tmp_path, days=60))
    found = doctor(server.url, admin=trusting(tmp_path, *LONG))
    assert found.status == 0, found.out
    tls = "TLS: CN=a test's server ← CN=an authority for long, 59 days left"
    assert tls in lines(found, "ok")
    assert f"TCP: 127.0.0.1:{server.port} answers at 127.0.0.1" in found.out
    assert lines(found, "warn") == []


def test_a_certificate_that_ends_soon(
    doctor: Doctor, lines: Lines, web: Callable[..., Any], tmp_path: Path
) -> None:
    server = web(authority(*LONG).server(tmp_path, days=3))
    found = doctor(server.url, admin=trusting(tmp_path, *LONG))
    assert found.status == 0
    [warning] = lines(found, "warn")
    assert warning.endswith("2 days left")
    assert "Have it renewed" in found.out
    assert "All is well, but for 1 warning." in found.out


def test_an_authority_that_ends_before_the_certificate(
    doctor: Doctor, lines: Lines, web: Callable[..., Any], tmp_path: Path
) -> None:
    server = web(authority("short", 5).server(tmp_path, days=60))
    [warning] = lines(doctor(server.url, admin=trusting(tmp_path, "short", 5)), "warn")
    assert warning.endswith("4 days left (CN=short)")


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"expired": True}, "expired"),
        ({"elsewhere": True}, "other.example.com"),
        ({}, "CN=another authority"),
    ],
    ids=["expired", "another-host", "another-authority"],
)
def test_a_certificate_that_is_not_trusted(
    doctor: Doctor,
    lines: Lines,
    web: Callable[..., Any],
    tmp_path: Path,
    fault: dict[str, bool],
    says: str,
) -> None:
    signer = authority() if fault else authority("another authority")
    server = web(signer.server(tmp_path, **fault))
    found = doctor(server.url, admin=trusting(tmp_path))
    assert found.status == 1
    [failure] = lines(found, "fail")
    assert failure.startswith("TLS: ")
    assert says in found.out
    assert "  Fix: " in found.out


def test_a_server_that_does_not_speak_tls(
    doctor: Doctor, lines: Lines, web: Callable[..., Any]
) -> None:
    found = doctor(web().url.replace("http:", "https:"))
    assert found.status == 1
    assert any(line.startswith("TLS: ") for line in lines(found, "fail"))


def test_a_file_of_authorities_that_is_missing(
    doctor: Doctor, lines: Lines, web: Callable[..., Any], tmp_path: Path
) -> None:
    server = web(authority().server(tmp_path))
    found = doctor(server.url, admin={"caCertFilePath": str(tmp_path / "missing.pem")})
    assert found.status == 1
    assert any("missing.pem cannot be used" in line for line in lines(found, "fail"))


def test_certificates_that_nobody_verifies(
    doctor: Doctor, lines: Lines, web: Callable[..., Any], tmp_path: Path
) -> None:
    server = web(authority().server(tmp_path, expired=True))
    found = doctor(server.url, admin={"insecureSkipVerify": True})
    assert found.status == 0
    assert any("not verified" in line for line in lines(found, "warn"))
    assert "TLS: CN=a test's server, which nobody has verified" in lines(found, "ok")


def test_through_a_proxy(
    doctor: Doctor, lines: Lines, web: Callable[..., Any], tmp_path: Path
) -> None:
    platform, server = web(), web(authority(*LONG).server(tmp_path, days=60, host="id.example"))
    with ForwardProxy({"id.example:443": server.port}, password="pw") as proxy:
        admin = {**trusting(tmp_path, *LONG), "httpProxyURL": proxy.url.replace("//", "//me:pw@")}
        found = doctor("https://id.example", admin=admin, platform=platform.url)
    assert found.status == 0, found.out
    well = lines(found, "ok")
    through = f"{proxy.url} (with a password)"
    assert f"proxy: the way to https://id.example is through {through}" in well
    assert any("59 days left" in line for line in well)
    assert "discovery: the identity provider https://id.example answers" in well
    assert set(proxy.asked) == {"id.example:443"}  # and not the platform
    assert "pw@" not in found.out


def test_through_a_proxy_of_the_environments(
    doctor: Doctor,
    lines: Lines,
    web: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = web(authority(*LONG).server(tmp_path, days=60, host="all.example"))
    with ForwardProxy({"all.example:443": server.port}) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        found = doctor("https://all.example", admin=trusting(tmp_path, *LONG))
    assert found.status == 0, found.out
    assert f"proxy for https: {proxy.url}" in lines(found, "ok")
    assert len([each for each in lines(found, "ok") if each.startswith("TLS: ")]) == 1


@pytest.mark.parametrize("refusal", [407, 403])
def test_a_proxy_that_refuses(
    doctor: Doctor, lines: Lines, web: Callable[..., Any], refusal: int
) -> None:
    with ForwardProxy({}, refusal=refusal) as proxy:
        admin = {"httpProxyURL": proxy.url}
        found = doctor("https://id.example", admin=admin, platform=web().url)
    assert found.status == 1
    [failure] = lines(found, "fail")
    assert failure.startswith("TLS: ")
    assert "proxy" in failure


def test_a_proxy_that_is_not_there(doctor: Doctor, lines: Lines, web: Callable[..., Any]) -> None:
    admin = {"httpProxyURL": "http://127.0.0.1:1"}
    found = doctor("https://id.example", admin=admin, platform=web().url)
    assert found.status == 1
    assert lines(found, "fail") == ["TCP: 127.0.0.1:1 cannot be reached"]


def test_no_server_is_looked_at_twice(
    profiles_file: Callable[..., Path],
    run: Callable[..., Any],
    lines: Lines,
    web: Callable[..., Any],
) -> None:
    server = web()
    shape = {"admin": {"endpoint": server.url, "clientId": "me"}, "oauth": {"issuer": server.url}}
    profiles_file({"profiles": {"one": shape, "two": shape}})
    found = run("doctor")
    assert lines(found, "ok").count(f"{server.url}: as for one") == 1
    assert sum(line.startswith("TCP: ") for line in lines(found, "ok")) == 1
    assert sum(".well-known" in path for path in server.asked) == 1

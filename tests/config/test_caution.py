from __future__ import annotations

from platform_auth.config import PlatformConfig
from platform_auth.config.caution import cautions


def test_certificates_that_nobody_looks_at() -> None:
    [text] = cautions(PlatformConfig("flyte.example.com", insecure_skip_verify=True))
    assert "not verified" in text
    assert "flyte.example.com" in text
    assert "caCertFilePath" in text


def test_a_way_that_is_not_encrypted() -> None:
    [text] = cautions(PlatformConfig("flyte.example.com", insecure=True))
    assert "Nothing is encrypted" in text


def test_this_machine_needs_no_encryption() -> None:
    for endpoint in ("localhost:30080", "127.0.0.1", "http://[::1]:80"):
        assert list(cautions(PlatformConfig(endpoint, insecure=True))) == []

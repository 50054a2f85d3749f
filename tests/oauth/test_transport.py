from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from platform_auth.config import PlatformConfig
from platform_auth.errors import ConfigError
from platform_auth.oauth.transport import Transport

if TYPE_CHECKING:
    from pathlib import Path


def test_a_certificate_file_that_is_not_there_is_an_error_for_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    with pytest.raises(ConfigError, match="certificates") as caught:
        Transport(PlatformConfig.for_endpoint("flyte.example.com"))
    assert "SSL_CERT_FILE" in caught.value.fix

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Host

HEAVY = (
    "httpx2",
    "httpx",
    "authlib",
    "joserfc",
    "cryptography",
    "ipywidgets",
    "jupyter_server",
    "tornado.web",
    "yaml",
    "wrapt",
    "grpc",
    "flytekit",
)

SCRIPT = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
loaded = {}
for line in ("load_ext platform_auth", "platform_login demo"):
    name, _, rest = line.partition(" ")
    shell.run_line_magic(name, rest)
    loaded[line] = sorted(sys.modules)
answer = shell.user_ns["client"].get("/me").json()
print(json.dumps({"loaded": loaded, "answer": answer}))
"""


def test_signed_in_already_nothing_heavy_is_imported(signed_in: Host) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60
    )
    line, result = done.stdout.splitlines()
    assert line.endswith(" as ada@example.com · client is ready")
    found = json.loads(result)
    for modules in found["loaded"].values():
        assert [name for name in HEAVY if name in modules] == []
    assert "platform_auth.connection" not in found["loaded"]["load_ext platform_auth"]
    assert found["answer"]["email"] == "ada@example.com"

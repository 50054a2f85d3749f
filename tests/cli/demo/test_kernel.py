from __future__ import annotations

from typing import Any

from platform_auth.cli.demo.kernel import _Outputs


def message(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"msg_type": kind, "header": {"msg_type": kind}, "content": content}


def display(kind: str, text: str, display_id: str = "") -> dict[str, Any]:
    transient = {"display_id": display_id} if display_id else {}
    data = {"text/plain": text}
    return message(kind, {"data": data, "metadata": {}, "transient": transient})


def test_a_display_that_is_updated_stays_where_it_was() -> None:
    outputs = _Outputs()
    first = outputs.take(display("display_data", "Sign in", "login"))
    outputs.take(message("stream", {"name": "stdout", "text": "hello\n"}))
    assert outputs.take(display("update_display_data", "Signed in", "login")) is None
    assert first is outputs.found[0]
    assert first["data"] == {"text/plain": "Signed in"}
    assert [each["output_type"] for each in outputs.found] == ["display_data", "stream"]


def test_an_update_of_another_cells_display_is_not_ours() -> None:
    outputs = _Outputs()
    outputs.take(display("update_display_data", "Signed in", "somebody-elses"))
    outputs.take(message("status", {"execution_state": "busy"}))
    assert outputs.found == []

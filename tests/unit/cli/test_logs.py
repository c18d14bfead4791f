"""What `pilotfish logs` prints."""

from __future__ import annotations

import pytest

from pilotfish.cli.logs import _print


def test_lines_of_several_components_say_whose_they_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _print("node-1", [b"2026-01-01T00:00:00.000Z INFO a b", b'{"component": "node-1"}'], True)
    assert capsys.readouterr().out.splitlines() == [
        "[node-1] 2026-01-01T00:00:00.000Z INFO a b",
        '{"component": "node-1"}',
    ]

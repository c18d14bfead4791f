"""How commands print."""

from __future__ import annotations

import pytest

from pilotfish.cli.output import duration, megabytes, print_table


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0s"), (119.9, "119s"), (190, "3m10s"), (5 * 3600 + 420, "5h7m"), (183600, "2d3h")],
)
def test_durations_read_like_kubectl_ages(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_sizes_are_in_megabytes() -> None:
    assert megabytes(149_960_000) == "150.0 MB"


def test_columns_are_aligned_without_trailing_blanks(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["NODE", "STATUS"], [["node-1", "Ready"], ["n", ""]])
    assert capsys.readouterr().out == "NODE     STATUS\nnode-1   Ready\nn\n"

"""How far a machine lets us protect processes from the OOM killer."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from pilotfish.node.oom_score import lowest_oom_score_adj


class RefusingPath(type(Path())):  # type: ignore[misc]
    """The file as it is without CAP_SYS_RESOURCE."""

    def write_text(self, *_arguments: object, **_options: object) -> int:
        raise PermissionError(13, "Permission denied")


def test_where_the_kernel_allows_it_guaranteed_pods_get_what_they_should(tmp_path: Path) -> None:
    file = tmp_path / "oom_score_adj"
    file.write_text("10\n")
    assert lowest_oom_score_adj(file) == -997
    assert int(file.read_text()) == 10


def test_where_the_kernel_refuses_the_own_value_is_the_lowest(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "oom_score_adj").write_text("10\n")
    with caplog.at_level(logging.WARNING):
        assert lowest_oom_score_adj(RefusingPath(tmp_path / "oom_score_adj")) == 10
    assert "without CAP_SYS_RESOURCE" in caplog.text

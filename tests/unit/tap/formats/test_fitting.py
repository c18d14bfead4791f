"""Lines and tables fit into the terminal, and lose nothing that matters."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.tap.formats import stats_table
from pilotfish.tap.formats.fitting import cells, cut, cut_all
from pilotfish.tap.formats.text import line
from pilotfish.tap.stats import Stats
from support.entries import entry

COLOUR = re.compile("\x1b\\[[0-9]+m")


@given(st.text(st.characters(exclude_categories=("C", "M")), max_size=40), st.integers(1, 50))
def test_what_is_cut_fits(text: str, room: int) -> None:
    assert cells(cut(text, room)) <= max(room, 1)
    assert cut(text, room) == text or cells(text) > room


def test_the_ends_of_a_name_stay() -> None:
    assert cut("go-demo-2-api-x7k2p", 11) == "go-de…x7k2p"
    assert cut("日本語日本語", 7) == "日…語"


@given(st.lists(st.integers(1, 60), min_size=1, max_size=3), st.integers(9, 120))
def test_the_longest_are_cut_first(lengths: list[int], room: int) -> None:
    texts = ["x" * length for length in lengths]
    fitted = cut_all(texts, room)
    assert sum(map(cells, fitted)) <= room or max(lengths) == 1
    for text, shown in zip(texts, fitted, strict=True):
        assert shown == text or cells(shown) >= max(cells(other) for other in fitted) - 1


LONG = "/demo/person?name=Viktor&" + "filler=x&" * 20


@pytest.mark.parametrize("width", [40, 60, 80, 132])
@pytest.mark.parametrize("colours", [False, True])
@pytest.mark.parametrize("summary", ["GET /demo/hello → 200", f"GET {LONG} → 200", f"GET {LONG}"])
def test_a_line_takes_two_where_one_is_too_narrow(width: int, colours: bool, summary: str) -> None:
    shown = COLOUR.sub("", line(entry(summary=summary), colours, True, width)).split("\n")
    assert len(shown) <= 2
    assert max(map(cells, shown)) <= width
    assert " → 200  1.2 ms" in shown[-1] or "→" not in summary
    if len(shown) == 2:
        assert shown[1].startswith(" " * 14 + "GET /")


def test_a_line_for_a_pipe_is_one() -> None:
    shown = line(entry(summary=f"GET {LONG} → 200"), False, True)
    assert "\n" not in shown
    assert LONG in shown


def statistics() -> Stats:
    stats = Stats()
    for number in range(60):
        endpoint: dict[str, Any] = dict(entry()["endpoint"])
        name = f"a-rather-long-name-of-a-deployment-7f9c6d{number % 3}"
        endpoint |= {"name": name, "ip": f"10.244.0.{number % 3}"}
        endpoint["pod"] = {"name": name, "namespace": "default"}
        made = entry(endpoint=endpoint)
        made["conn"] = {**made["conn"], "id": f"c{number}"}
        stats.add(made)
    return stats


@pytest.mark.parametrize("width", [50, 60, 80, 100, 200])
def test_a_table_fits(width: int) -> None:
    services = statistics().services.values()
    shown = stats_table.text(services, width).split("\n")
    assert max(map(cells, shown)) <= width
    text = "\n".join(shown)
    assert "33.3%" in text
    assert text.count("7f9c6d") == 3 or width < 60
    assert "p = 1" in " ".join(text.split())


@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_table_ends_no_run_where_nothing_fits(width: int) -> None:
    shown = stats_table.text(statistics().services.values(), width)
    assert "(p=1)" in "".join(shown.split())


def test_a_table_for_a_pipe_has_all_columns() -> None:
    header, *rest = stats_table.text(statistics().services.values()).split("\n")
    assert header.split() == list(stats_table.HEADER)
    assert any("██" in row for row in rest)

"""One namespace for the servers of all protocols."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from support.captures import Machine


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    made = Machine("tt1-protocols", tmp_path_factory.mktemp("tap"))
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def values() -> Callable[[list[str]], list[str]]:
    """All values in lines of one field."""
    return lambda lines: [value for line in lines for value in line.split(";")]

"""Garbage collection while many Services are worked out."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from pilotfish.proxy.syncer import no_collection


@pytest.fixture(autouse=True)
def unfrozen() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.unfreeze()


def test_what_many_services_need_is_never_looked_at_again() -> None:
    with no_collection(many=True):
        assert not gc.isenabled()
        kept = [[number] for number in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() > len(kept)


def test_for_a_few_services_nothing_changes() -> None:
    with no_collection(many=False):
        assert gc.isenabled()
    assert gc.get_freeze_count() == 0

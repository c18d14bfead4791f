"""Slots: endpoints keep their places, and holes are filled from the end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pilotfish.proxy.fronts import Endpoint, assign_slots

endpoints = st.lists(
    st.integers(1, 30).map(lambda n: Endpoint(f"10.244.0.{n}", 80)), unique=True, max_size=12
)
A, B, C, D = (Endpoint(f"10.244.0.{n}", 80) for n in range(1, 5))


def test_the_last_endpoint_moves_into_the_hole() -> None:
    assert assign_slots((A, B, C, D), [A, C, D]) == (A, D, C)


def test_a_new_endpoint_goes_to_the_end() -> None:
    assert assign_slots((A, B), [C, B, A]) == (A, B, C)


def test_the_last_endpoint_leaves_without_a_move() -> None:
    assert assign_slots((A, B, C), [A, B]) == (A, B)


@given(endpoints, endpoints)
def test_every_wanted_endpoint_has_exactly_one_slot(
    installed: list[Endpoint], wanted: list[Endpoint]
) -> None:
    slots = assign_slots(tuple(installed), wanted)
    assert sorted(slots) == sorted(wanted)


@given(endpoints, st.data())
def test_removing_one_changes_at_most_two_slots(
    installed: list[Endpoint], data: st.DataObject
) -> None:
    if not installed:
        return
    gone = data.draw(st.sampled_from(installed))
    slots = assign_slots(tuple(installed), [e for e in installed if e != gone])
    changed = [n for n, e in enumerate(installed) if n >= len(slots) or slots[n] != e]
    assert len(changed) <= 2

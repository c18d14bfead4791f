"""The pool of numbers behind ClusterIPs and NodePorts."""

from __future__ import annotations

import pytest

from pilotfish.apiserver.allocation.pool import Pool, PoolExhaustedError


def test_automatic_choices_leave_the_lower_band_alone_while_they_can() -> None:
    pool = Pool(1, 20, static_band=5)
    assert {pool.take_any() for _ in range(15)} == set(range(6, 21))


def test_the_lower_band_is_used_when_the_upper_is_full() -> None:
    pool = Pool(1, 20, static_band=5)
    for _ in range(15):
        pool.take_any()
    assert pool.take_any() in range(1, 6)


def test_an_exhausted_pool_says_so() -> None:
    pool = Pool(1, 2, static_band=1)
    assert {pool.take_any(), pool.take_any()} == {1, 2}
    with pytest.raises(PoolExhaustedError):
        pool.take_any()


def test_a_number_is_taken_once_until_given_back() -> None:
    pool = Pool(1, 9, static_band=0)
    assert pool.take(5)
    assert not pool.take(5)
    pool.give_back(5)
    assert pool.take(5)


def test_a_band_as_large_as_the_pool_still_gives_numbers() -> None:
    assert Pool(7, 7, static_band=16).take_any() == 7

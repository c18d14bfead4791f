"""What was probably meant: names and labels that nearly are what was asked for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from pilotfish.objects.meta import Object, labels_of, name_of


@lru_cache(maxsize=1 << 16)  # the same few are asked for again and again
def distance(one: str, other: str) -> int:
    """How many characters have to be put in, taken out, changed, or swapped with the next."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]


@lru_cache(maxsize=1 << 16)
def is_near(one: str, other: str) -> bool:
    """Whether somebody who wrote `one` may have meant `other`: a typing error, or a part of it."""
    if one == other:
        return False
    if abs(len(one) - len(other)) > 2:
        shorter, longer = sorted((one, other), key=len)
        return len(shorter) >= 3 and longer.startswith(f"{shorter}-")
    return distance(one, other) <= (2 if min(len(one), len(other)) > 4 else 1)


def nearest(asked: str, names: Iterable[str]) -> str:
    """The name that is nearest to what was asked; "" when none is near."""
    near = [name for name in names if is_near(asked, name)]
    return min(near, key=lambda name: (distance(asked, name), name), default="")


class NearPod(NamedTuple):
    """A Pod that a selector nearly matches: the label that differs (has is "" where none is)."""

    pod: str
    key: str
    wanted: str
    has: str
    instead_of_key: str = ""


def near_pod(selector: Mapping[str, str], pods: Iterable[Object]) -> NearPod | None:
    """The Pod that matches all of a selector but one label, or has one that is nearly it.

    Args:
        selector: that matches none of them.
        pods: of the same namespace.
    """
    found: list[tuple[int, NearPod]] = []
    for pod in pods:
        labels = labels_of(pod)
        wrong = [key for key, value in selector.items() if labels.get(key) != value]
        if len(wrong) != 1:
            continue
        key = wrong[0]
        wanted, has = selector[key], labels.get(key, "")
        if has:
            if len(selector) > 1 or is_near(wanted, has) or is_near(has, wanted):
                found.append((distance(wanted, has), NearPod(name_of(pod), key, wanted, has)))
            continue
        for other, value in labels.items():
            if value == wanted and other not in selector:
                found.append((10, NearPod(name_of(pod), key, wanted, "", other)))
                break
        else:
            if len(selector) > 1:
                found.append((20, NearPod(name_of(pod), key, wanted, "")))
    return min(found)[1] if found else None

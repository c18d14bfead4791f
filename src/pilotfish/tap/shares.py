"""Is a share of requests chance? The statistics of load balancing.

What is chosen is an endpoint for a *connection*; the requests of a connection
all go there. So chance is judged by connections, with Pearson's chi-square test
against what equal chances among the endpoints that were ready at the time
would give; and requests may be unequal for the plain reason that some
connections carry more of them than others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

# Differences that chance makes less often than this are called no chance.
SIGNIFICANCE = 0.01
# Below this expectation per endpoint the test says nothing (Cochran's rule).
MIN_EXPECTED = 5.0
# Requests are called unequal when an endpoint's share is this far from its equal one.
NOTABLE = 0.25


@dataclass(frozen=True)
class Observed:
    """What was seen of one Service's endpoints; all by the same keys.

    Attributes:
        requests: requests that each endpoint got; those that got none are there with 0.
        connections: connections that each got.
        expected: connections that each would have got on average, had every connection had equal
            chances among the endpoints that were ready when it was made.
        heaviest: the requests of the connections that carried most, heaviest first.
        affinity: whether the Service keeps clients at their endpoint (sessionAffinity).
        round_robin: whether the Service goes round its endpoints in turn.
    """

    requests: Mapping[str, int]
    connections: Mapping[str, int]
    expected: Mapping[str, float]
    heaviest: tuple[int, ...]
    affinity: bool = False
    round_robin: bool = False


def verdict(seen: Observed) -> str:
    """Whether the shares are what equal chances give, and if not, why; one sentence."""
    total = sum(seen.connections.values())
    if len(seen.connections) < 2:
        return "one endpoint gets everything"
    if min(seen.expected.values(), default=0.0) < MIN_EXPECTED and not _absent(seen):
        return f"too few connections to judge ({total})" + _carried(seen)
    equal = dict.fromkeys(seen.connections, total / len(seen.connections))
    chance = p_value(seen.connections, {key: n for key, n in seen.expected.items() if n > 0})
    if chance >= SIGNIFICANCE:
        if p_value(seen.connections, equal) < SIGNIFICANCE:
            return f"equal among the Pods that were ready; {_least_ready(seen)}"
        return f"chance (p = {chance:.2g})" + _carried(seen)
    if seen.affinity:
        return "no chance: session affinity keeps each client at its Pod"
    return f"no chance (p = {chance:.1g}): connections are not spread equally"


def p_value(observed: Mapping[str, int], expected: Mapping[str, float]) -> float:
    """How often chance alone differs from the expectation at least as much (chi-square).

    Only keys of `expected` count; its values are positive.
    """
    statistic = sum((observed.get(key, 0) - n) ** 2 / n for key, n in expected.items())
    return chi_square_tail(statistic, len(expected) - 1)


def chi_square_tail(statistic: float, degrees: int) -> float:
    """P(X ≥ statistic) for chi-square with that many degrees of freedom.

    The closed forms for whole degrees: NIST Handbook of Mathematical Functions, 26.4.4-26.4.5.
    """
    half = statistic / 2
    if degrees < 1 or half <= 0:
        return 1.0
    tail = math.erfc(math.sqrt(half)) if degrees % 2 else 0.0
    # Terms half^a · e^-half / Γ(a+1), in logarithms so that large ones do not overflow.
    at = 0.5 if degrees % 2 else 0.0
    while at < degrees / 2:
        tail += math.exp(at * math.log(half) - half - math.lgamma(at + 1))
        at += 1
    return min(tail, 1.0)


def _absent(seen: Observed) -> bool:
    """Whether an endpoint had no chance at all: it was never ready."""
    return any(n == 0 for n in seen.expected.values())


def _least_ready(seen: Observed) -> str:
    total = sum(seen.expected.values())
    key = min(seen.expected, key=lambda each: seen.expected[each])
    share = seen.expected[key] * len(seen.expected) / total if total else 0.0
    if share == 0:
        return f"{key} was not ready"
    return f"{key} was ready for only a part of them ({share:.0%} of an equal chance)"


def _carried(seen: Observed) -> str:
    """Why requests are unequal although connections are not: some carry more."""
    requests = sum(seen.requests.values())
    even = requests / len(seen.requests)
    if not requests or max(abs(n - even) for n in seen.requests.values()) < NOTABLE * even:
        return ""
    connections = sum(seen.connections.values())
    if connections < MIN_EXPECTED or requests < 2 * connections:
        return ""
    carried = 0
    for number, heaviest in enumerate(seen.heaviest, 1):
        carried += heaviest
        if carried > requests / 2:
            return (
                f"; requests differ because {number} of {connections} connections "
                f"carr{'ies' if number == 1 else 'y'} {carried / requests:.0%} of them"
            )
    return ""

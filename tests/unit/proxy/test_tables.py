"""Tables: every change leads from what is installed to what is wanted, in valid steps."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotfish.proxy.fronts import (
    NOTHING,
    Balance,
    Choose,
    Endpoint,
    Front,
    Remember,
    Target,
    Wanted,
)
from pilotfish.proxy.tables import Tables
from support.fake_tables import FakeTables

A, B, C, D = (Endpoint(f"10.244.0.{n}", 8080) for n in range(1, 5))
WEB = Front("10.96.0.1", "tcp", 80)
NODE_PORT = Front("192.168.64.2", "tcp", 30080)
DNS = Front("10.96.0.10", "udp", 53)


def web(*endpoints: Endpoint, front: Front = WEB, sticky_s: int = 0, turns: str = "") -> Wanted:
    return Wanted({front: Balance(endpoints, sticky_s, turns)})


class Installed:
    """Tables with a fake kernel behind them."""

    def __init__(self) -> None:
        self.tables = Tables()
        self.kernel = FakeTables()

    def want(self, **services: Wanted):  # type: ignore[no-untyped-def]
        change = self.tables.change(services)
        self.kernel.apply(change)
        return change


@pytest.fixture
def installed() -> Installed:
    return Installed()


def test_a_front_is_a_verdict_and_an_element_for_each_endpoint(installed: Installed) -> None:
    installed.want(web=web(A, B))
    assert installed.kernel.elements["services"] == {("10.96.0.1", "tcp", 80): Choose(2)}
    assert installed.kernel.elements["endpoints"] == {
        ("10.96.0.1", "tcp", 80, 0): A,
        ("10.96.0.1", "tcp", 80, 1): B,
    }


def test_one_more_endpoint_is_one_element_and_the_verdict(installed: Installed) -> None:
    installed.want(web=web(A, B), other=web(A, B, C, front=NODE_PORT))
    change = installed.want(web=web(A, B, C))
    assert change.added == {
        "services": [(("10.96.0.1", "tcp", 80), Choose(3))],
        "endpoints": [(("10.96.0.1", "tcp", 80, 2), C)],
    }
    assert change.removed == {"services": [("10.96.0.1", "tcp", 80)]}
    assert change.chains_added == []


def test_an_endpoint_in_place_of_another_leaves_the_verdict_alone(installed: Installed) -> None:
    installed.want(web=web(A, B))
    change = installed.want(web=web(A, C))
    assert change.added == {"endpoints": [(("10.96.0.1", "tcp", 80, 1), C)]}


def test_nothing_changes_when_the_same_is_wanted_in_another_order(installed: Installed) -> None:
    installed.want(web=web(A, B, C))
    assert not installed.want(web=web(C, A, B))


def test_without_endpoints_a_front_moves_to_the_refused(installed: Installed) -> None:
    installed.want(web=web(A))
    installed.want(web=Wanted({WEB: "refuse"}))
    assert installed.kernel.elements["services"] == {}
    assert installed.kernel.elements["endpoints"] == {}
    assert installed.kernel.elements["refused"] == {("10.96.0.1", "tcp", 80): "refuse"}


def test_what_holds_for_outside_clients_only_is_in_maps_of_its_own(installed: Installed) -> None:
    outside = NODE_PORT._replace(external=True)
    installed.want(web=Wanted({NODE_PORT: Balance((A, B)), outside: Balance((A,))}))
    key = ("192.168.64.2", "tcp", 30080)
    assert installed.kernel.elements["services"] == {key: Choose(2)}
    assert installed.kernel.elements["external-services"] == {key: Choose(1, external=True)}
    assert installed.kernel.elements["external-endpoints"] == {(*key, 0): A}


def test_a_chain_with_turns_goes_when_its_service_goes_and_a_shared_one_stays(
    installed: Installed,
) -> None:
    installed.want(web=web(A, B, turns="default/web/80/tcp"), other=web(A, B, front=NODE_PORT))
    assert set(installed.kernel.chains) == {"turn-2/default/web/80/tcp", "lb-2"}
    installed.want(web=NOTHING, other=NOTHING)
    assert set(installed.kernel.chains) == {"lb-2"}


def test_a_deleted_service_leaves_no_element(installed: Installed) -> None:
    sources = {WEB: ("10.0.0.0/8",)}
    installed.want(
        web=Wanted({WEB: Balance((A,), sticky_s=60)}, frozenset({"10.244.0.1"}), sources)
    )
    assert installed.kernel.elements["sticky"] == {("10.96.0.1", "tcp", 80): Remember(60)}
    installed.want(web=NOTHING)
    assert all(elements == {} for elements in installed.kernel.elements.values())


def test_a_hairpin_stays_while_one_service_still_needs_it(installed: Installed) -> None:
    own = frozenset({"10.244.0.1"})
    installed.want(web=Wanted({WEB: Balance((A,))}, own), dns=Wanted({DNS: Balance((A,))}, own))
    installed.want(web=NOTHING)
    assert installed.kernel.elements["hairpins"] == {("10.244.0.1", "10.244.0.1"): None}
    installed.want(dns=NOTHING)
    assert installed.kernel.elements["hairpins"] == {}


def test_the_first_service_keeps_a_front_that_two_want_and_the_other_inherits_it(
    installed: Installed, caplog: pytest.LogCaptureFixture
) -> None:
    installed.want(first=web(A))
    with caplog.at_level(logging.WARNING):
        installed.want(second=web(B))
    assert installed.tables.target(WEB) == Balance((A,))
    assert "second" in caplog.text
    assert "first" in caplog.text
    installed.want(first=NOTHING)
    assert installed.tables.target(WEB) == Balance((B,))
    installed.want(second=NOTHING)
    assert installed.tables.target(WEB) is None


def test_source_ranges_are_those_of_the_service_that_has_the_front(installed: Installed) -> None:
    at = ("10.96.0.1", "tcp", 80)
    wide = Wanted({WEB: Balance((A,))}, sources={WEB: ("10.0.0.0/8",)})
    narrow = Wanted({WEB: Balance((B,))}, sources={WEB: ("10.1.0.0/16",)})
    installed.want(first=wide)
    installed.want(second=narrow)
    assert installed.kernel.elements["allowed-sources"] == {(*at, "10.0.0.0/8"): None}
    installed.want(first=NOTHING)
    assert installed.kernel.elements["allowed-sources"] == {(*at, "10.1.0.0/16"): None}
    installed.want(second=web(B))
    assert installed.kernel.elements["source-limited"] == {}


def test_a_front_moves_from_one_service_to_another_in_one_change(installed: Installed) -> None:
    installed.want(old=web(A))
    change = installed.want(old=NOTHING, new=web(A))
    assert not change.added
    assert not change.removed
    assert installed.tables.target(WEB) == Balance((A,))


def test_udp_flows_may_stay_with_the_endpoints_that_are_left(installed: Installed) -> None:
    installed.want(dns=web(A, B, front=DNS))
    change = installed.want(dns=web(B, C, front=DNS))
    assert change.flows == {DNS.at: frozenset({B, C})}


def test_udp_flows_are_not_looked_through_when_an_endpoint_joins(installed: Installed) -> None:
    installed.want(dns=web(A, front=DNS))
    assert installed.want(dns=web(A, B, front=DNS)).flows == {}


def test_udp_flows_that_began_without_endpoints_are_ended(installed: Installed) -> None:
    installed.want(dns=Wanted({DNS: "refuse"}))
    assert installed.want(dns=web(A, front=DNS)).flows == {DNS.at: frozenset({A})}


def test_udp_flows_may_stay_with_the_endpoints_of_either_scope(installed: Installed) -> None:
    front = Front("192.168.64.2", "udp", 30053)
    outside = front._replace(external=True)
    installed.want(dns=Wanted({front: Balance((A, B)), outside: Balance((A, D))}))
    change = installed.want(dns=Wanted({front: Balance((A, B)), outside: Balance((A,))}))
    assert change.flows == {front.at: frozenset({A, B})}


def test_clients_forget_only_the_endpoint_that_left(installed: Installed) -> None:
    installed.want(web=web(A, B, sticky_s=60))
    assert installed.want(web=web(A, B, C, sticky_s=60)).forgotten == {}
    change = installed.want(web=web(A, C, sticky_s=60))
    assert change.forgotten == {WEB.at: frozenset({A, C})}


def test_clients_forget_everything_when_stickiness_ends(installed: Installed) -> None:
    installed.want(web=web(A, B, sticky_s=60))
    assert installed.want(web=web(A, B)).forgotten == {WEB.at: frozenset()}


def test_everything_says_whom_clients_may_still_remember(installed: Installed) -> None:
    installed.want(web=web(A, B, sticky_s=60), other=web(C, front=NODE_PORT))
    assert installed.tables.everything().forgotten == {WEB.at: frozenset({A, B})}


def test_with_many_endpoints_the_chains_that_may_be_needed_are_made_beforehand() -> None:
    tables, kernel = Tables(), FakeTables()
    services = {
        f"web-{number}": web(A, B, C, D, front=WEB._replace(port=number + 1))
        for number in range(1300)
    }
    tables.change(services)
    kernel.replace(tables.everything())
    change = tables.change({"web-7": web(A, B, C, front=WEB._replace(port=8))})
    assert change.chains_added == []
    kernel.apply(change)


FRONTS = [WEB, NODE_PORT, NODE_PORT._replace(external=True), DNS]
targets: st.SearchStrategy[Target] = st.one_of(
    st.sampled_from(["refuse", "drop"]),
    st.builds(
        Balance,
        st.lists(st.sampled_from([A, B, C, D]), min_size=1, unique=True).map(tuple),
        st.sampled_from([0, 60]),
        st.sampled_from(["", "default/web/80/tcp"]),
    ),
)
wanted = st.builds(
    Wanted,
    st.dictionaries(st.sampled_from(FRONTS), targets),
    st.frozensets(st.sampled_from(["10.244.0.1", "10.244.0.2"])),
    st.dictionaries(st.just(WEB), st.just(("10.0.0.0/8",))),
)
steps = st.lists(st.dictionaries(st.sampled_from(["x", "y", "z"]), wanted, min_size=1), max_size=8)


@settings(max_examples=300)
@given(steps)
def test_any_history_leads_where_a_fresh_start_would(history: list[dict[str, Wanted]]) -> None:
    installed = Installed()
    for step in history:
        installed.want(**step)
    fresh = FakeTables()
    fresh.replace(installed.tables.everything())
    assert installed.kernel.elements == fresh.elements
    assert set(fresh.chains) <= set(installed.kernel.chains)
    # Going on from a fresh start works as well: nothing is taken for installed that is not.
    installed.kernel = fresh
    installed.want(x=NOTHING, y=NOTHING, z=NOTHING)
    assert all(elements == {} for elements in installed.kernel.elements.values())

"""What a node's kernel holds at each front, as JSON."""

from __future__ import annotations

from pilotfish.proxy.fronts import Balance, Endpoint, Front, Target
from pilotfish.proxy.reading import Broken
from pilotfish.proxy.table_list import has_drift, rows

A, B = Endpoint("10.244.0.5", 8080), Endpoint("fd00::5", 8080)
WEB = Front("10.96.0.7", "tcp", 80)
DNS = Front("fd00:96::a", "udp", 53)
OUTSIDE = Front("192.168.64.2", "tcp", 30080, external=True)


def test_each_front_says_what_happens_there_and_whose_it_is() -> None:
    held: dict[Front, Target | Broken] = {
        WEB: Balance((A,), sticky_s=60),
        DNS: Balance((B, A), counter="kube-system/kube-dns/53/udp"),
        OUTSIDE: "drop",
        Front("10.96.0.8", "tcp", 80): "refuse",
    }
    written = {front: ("Service default/web", held[front]) for front in (WEB, OUTSIDE)}
    written[DNS] = ("Pod kube-system/dns", held[DNS])
    written[Front("10.96.0.8", "tcp", 80)] = ("Service default/nobody", "refuse")
    found = rows(held, written)  # type: ignore[arg-type]
    assert found == [
        {
            "front": "10.96.0.7:80/TCP",
            "rule": "random",
            "slots": ["10.244.0.5:8080"],
            "sticky_s": 60,
            "service": "default/web",
        },
        {"front": "10.96.0.8:80/TCP", "rule": "reject", "slots": [], "service": "default/nobody"},
        {
            "front": "192.168.64.2:30080/TCP",
            "rule": "drop",
            "slots": [],
            "external": True,
            "service": "default/web",
        },
        {
            "front": "[fd00:96::a]:53/UDP",
            "rule": "round-robin",
            "slots": ["[fd00::5]:8080", "10.244.0.5:8080"],
            "pod": "kube-system/dns",
        },
    ]
    assert not has_drift(found)


def test_what_the_kernel_lacks_has_too_much_or_has_broken_is_drift() -> None:
    stray = Front("10.96.0.9", "tcp", 80)
    torn = Front("10.96.0.10", "tcp", 80)
    balance = Balance((A,))
    found = rows(
        {stray: "refuse", torn: Broken("has no endpoint at slot 0")},
        {WEB: ("Service default/web", balance), torn: ("Service default/torn", balance)},
    )
    drifts = {row["front"]: row.get("drift", "") for row in found}
    assert drifts["10.96.0.7:80/TCP"].startswith("missing in the kernel")
    assert drifts["10.96.0.9:80/TCP"].startswith("the kernel should not know it")
    assert drifts["10.96.0.10:80/TCP"] == "the front has no endpoint at slot 0"
    assert {row["rule"] for row in found} == {"none", "reject"}
    assert has_drift(found)


def test_the_order_of_slots_is_no_drift() -> None:
    held: dict[Front, Target | Broken] = {WEB: Balance((B, A))}
    assert not has_drift(rows(held, {WEB: ("Service default/web", Balance((A, B)))}))

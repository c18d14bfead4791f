"""EndpointSlices, Endpoints and LoadBalancer addresses against a real API server."""

from __future__ import annotations

from typing import Any

from pilotfish.objects.meta import Object, labels_of, name_of
from support.hollow_node import set_ready
from support.late_client import LateClient

SLICES = "endpointslices.discovery.k8s.io"


def service(name: str = "web", **spec: Any) -> Object:
    body = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": body | spec,
    }


def pod(name: str, **labels: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "default",
            "labels": {"app": "web"} | labels,
        },
        "spec": {"containers": [{"name": "c", "image": "host"}]},
    }


def ready_names(slices: list[Object], owner: str = "web") -> list[str]:
    return sorted(
        endpoint["targetRef"]["name"]
        for part in slices
        if labels_of(part).get("kubernetes.io/service-name") == owner
        for endpoint in part.get("endpoints") or ()
        if endpoint["conditions"]["ready"]
    )


def addresses(endpoints: list[Object], name: str = "web") -> tuple[int, int]:
    (mine,) = (obj for obj in endpoints if name_of(obj) == name)
    subsets = mine.get("subsets") or []
    return (
        sum(len(subset.get("addresses") or ()) for subset in subsets),
        sum(len(subset.get("notReadyAddresses") or ()) for subset in subsets),
    )


async def test_endpoints_follow_readiness_selectors_and_deletion(cluster: Any) -> None:
    client = cluster.client
    await client.create("services", service())
    for name in ("a", "b", "c"):
        await client.create("pods", pod(name))
    await cluster.until(SLICES, lambda found: ready_names(found) == ["a", "b", "c"])
    await cluster.until("endpoints", lambda found: addresses(found) == (3, 0))

    await set_ready(client, await client.get("pods", "b", "default"), False)
    await cluster.until(SLICES, lambda found: ready_names(found) == ["a", "c"])
    await cluster.until("endpoints", lambda found: addresses(found) == (2, 1))
    await set_ready(client, await client.get("pods", "b", "default"), True)
    await cluster.until(SLICES, lambda found: ready_names(found) == ["a", "b", "c"])

    await client.patch("services", "web", {"spec": {"selector": {"app": "wab"}}}, "default")
    await cluster.until(SLICES, lambda found: ready_names(found) == [])
    await cluster.until("endpoints", lambda found: addresses(found) == (0, 0))
    await client.patch("services", "web", {"spec": {"selector": {"app": "web"}}}, "default")
    await cluster.until(SLICES, lambda found: ready_names(found) == ["a", "b", "c"])

    await client.delete("pods", "a", "default")
    slices = await cluster.until(SLICES, lambda found: ready_names(found) == ["b", "c"])
    # All through, one slice was enough.
    mine = [part for part in slices if labels_of(part).get("kubernetes.io/service-name") == "web"]
    assert len(mine) == 1
    assert labels_of(mine[0])["endpointslice.kubernetes.io/managed-by"] == (
        "endpointslice-controller.k8s.io"
    )


async def test_what_a_deleted_service_leaves_goes_too(cluster: Any) -> None:
    await cluster.client.create("services", service())
    await cluster.until("endpoints", lambda found: any(name_of(obj) == "web" for obj in found))
    await cluster.until(SLICES, lambda found: len(found) == 2)
    await cluster.client.delete("services", "web", "default")
    await cluster.until(
        "endpoints", lambda found: [name_of(obj) for obj in found] == ["kubernetes"]
    )
    await cluster.until(SLICES, lambda found: [name_of(obj) for obj in found] == ["kubernetes"])


async def test_a_watch_that_lags_behind_leads_to_no_slice_too_many(cluster: Any) -> None:
    await cluster.start_controllers(LateClient)
    client = cluster.client
    await client.create("services", service())
    for name in "abcdefgh":
        await client.create("pods", pod(name))
    await cluster.until(SLICES, lambda found: ready_names(found) == list("abcdefgh"))
    for name in "aceg":
        await set_ready(client, await client.get("pods", name, "default"), False)
    slices = await cluster.until(SLICES, lambda found: ready_names(found) == list("bdfh"))
    assert len(slices) == 2  # the Service's and that of Service kubernetes
    listed = [endpoint for part in slices for endpoint in part.get("endpoints") or ()]
    assert len(listed) == 8 + 1
    await cluster.until("endpoints", lambda found: addresses(found) == (4, 4))


async def test_a_service_that_comes_again_has_slices_of_its_own(cluster: Any) -> None:
    client = cluster.client
    await client.create("pods", pod("a"))
    for _ in range(5):
        await client.create("services", service())
        await cluster.until(SLICES, lambda found: ready_names(found) == ["a"])
        await client.delete("services", "web", "default")
    made = await client.create("services", service())

    def settled(slices: list[Object]) -> bool:
        owners = [
            part["metadata"]["ownerReferences"][0]["uid"]
            for part in slices
            if name_of(part) != "kubernetes"
        ]
        return owners == [made["metadata"]["uid"]] and ready_names(slices) == ["a"]

    await cluster.until(SLICES, settled)


async def test_hand_made_endpoints_are_mirrored(cluster: Any) -> None:
    await cluster.client.create("services", service("db", selector=None))
    endpoints = {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": "db", "namespace": "default"},
        "subsets": [{"addresses": [{"ip": "192.0.2.7"}], "ports": [{"port": 5432}]}],
    }
    await cluster.client.create("endpoints", endpoints)
    slices = await cluster.until(SLICES, lambda found: len(found) == 2)
    (mirror,) = (part for part in slices if name_of(part) != "kubernetes")
    assert mirror["endpoints"][0]["addresses"] == ["192.0.2.7"]
    assert mirror["ports"][0]["port"] == 5432
    await cluster.client.delete("endpoints", "db", "default")
    await cluster.until(SLICES, lambda found: len(found) == 1)


def external_ip(obj: Object) -> str:
    ingress = obj["status"].get("loadBalancer", {}).get("ingress") or [{}]
    address: str = ingress[0].get("ip", "")
    return address


async def test_load_balancers_get_addresses_until_the_pool_is_empty(cluster: Any) -> None:
    client = cluster.client
    await client.create("services", service("one", type="LoadBalancer"))
    await cluster.until_of("services", "one", lambda obj: external_ip(obj) == "192.168.64.200")
    await client.create(
        "services", service("two", type="LoadBalancer", loadBalancerIP="192.168.64.201")
    )
    await cluster.until_of("services", "two", lambda obj: external_ip(obj) == "192.168.64.201")
    await client.create("services", service("three", type="LoadBalancer"))
    events = await cluster.until(
        "events",
        lambda found: any(event["reason"] == "SyncLoadBalancerFailed" for event in found),
    )
    (event,) = (event for event in events if event["reason"] == "SyncLoadBalancerFailed")
    assert "every address of the pool 192.168.64.200-192.168.64.201 is taken" in event["message"]
    # The next in line gets what is returned.
    await client.delete("services", "one", "default")
    await cluster.until_of("services", "three", lambda obj: external_ip(obj) == "192.168.64.200")
    await client.patch("services", "two", {"spec": {"type": "ClusterIP"}}, "default")
    await cluster.until_of("services", "two", lambda obj: external_ip(obj) == "")


async def test_people_hear_of_a_load_balancing_that_does_not_exist(cluster: Any) -> None:
    client = cluster.client
    known = service("turns")
    known["metadata"]["annotations"] = {"pilotfish.dev/load-balancing": "round-robin"}
    await client.create("services", known)
    await client.create("services", service("web"))

    def told(events: list[Object]) -> list[Object]:
        return [event for event in events if event["reason"] == "UnknownLoadBalancing"]

    annotations = {"pilotfish.dev/load-balancing": "roundrobin"}
    await client.patch("services", "web", {"metadata": {"annotations": annotations}}, "default")
    (event,) = told(await cluster.until("events", told))
    assert event["type"] == "Warning"
    assert event["involvedObject"]["kind"] == "Service"
    assert event["involvedObject"]["name"] == "web"
    assert '"roundrobin": endpoints are chosen at random' in event["message"]
    # Other changes are no reason to say it again.
    await client.patch("services", "web", {"metadata": {"labels": {"a": "b"}}}, "default")
    annotations = {"pilotfish.dev/load-balancing": "in-turn"}
    await client.patch("services", "web", {"metadata": {"annotations": annotations}}, "default")
    events = await cluster.until("events", lambda found: len(told(found)) == 2)
    assert [each.get("count", 1) for each in told(events)] == [1, 1]

"""What is said about a Service that does not do what was meant, and how to fix it."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.dashboard.slots import Kernel
from support.traffic import Shop, look_up, seen_pod, seen_service


@pytest.fixture
def shop() -> Shop:
    return Shop()


# --- objects ---------------------------------------------------------------------------------


def test_a_service_where_all_is_well_is_told_so(shop: Shop) -> None:
    shop.service("api", ready=2)
    shop.kernels = {"node-1": Kernel(fronts=[front("default/api")])}
    (only,) = shop.findings("api")
    assert only == {
        "severity": "good",
        "what": "all 2 endpoints are ready, and the kernels hold them",
        "mend": "",
    }


def test_a_selector_that_matches_no_pod_is_told_with_the_label_that_was_meant(shop: Shop) -> None:
    shop.service("api", ready=1)
    shop.service("front", selector={"app": "apy"})
    found = shop.finding("front", "matches no Pod in namespace default")
    assert found["severity"] == "error"
    assert "Pod api-0 has app=api" in found["what"]
    assert found["mend"] == "select app=api: kubectl edit service front -n default"


def test_a_label_under_another_key_or_missing_is_named(shop: Shop) -> None:
    shop.pod("api-0", "10.244.0.10", {"app": "api", "tier": "back"})
    shop.service("key", selector={"application": "api"})
    assert "Pod api-0 has app=api" in shop.finding("key", "matches no Pod")["what"]
    shop.service("more", selector={"app": "api", "env": "live"})
    found = shop.finding("more", "lacks only the label env")
    assert "label the Pod's template env=live" in found["mend"]


def test_pods_of_another_namespace_are_not_selected(shop: Shop) -> None:
    shop.pod("api-0", "10.244.0.10", {"app": "api"}, namespace="shop")
    shop.service("api")
    found = shop.finding("api", "Pod api-0 of namespace shop would match")
    assert found["mend"].endswith("create it in shop")


def test_without_any_near_pod_the_way_to_compare_is_told(shop: Shop) -> None:
    shop.service("api")
    assert "there are no Pods" in shop.finding("api", "matches no Pod")["what"]
    shop.pod("other", "10.244.0.30", {"app": "something"})
    assert "--show-labels" in shop.finding("api", "matches no Pod")["mend"]


def test_pods_that_are_not_ready_are_told_with_the_reason(shop: Shop) -> None:
    shop.service("api", unready=2)
    for pod in shop.pods:
        pod["status"]["containerStatuses"] = [
            {"name": "c", "ready": False, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
        ]
    found = shop.finding("api", "2 Pods match the selector, and none is ready")
    assert found["severity"] == "error"
    assert "api-0 and 1 more: container c ends again and again" in found["what"]
    assert found["mend"] == "kubectl logs api-0 -n default -c c --previous"


def test_some_pods_that_are_not_ready_are_a_warning(shop: Shop) -> None:
    shop.service("api", ready=2, unready=1)
    found = shop.finding("api", "1 of 3 endpoints is not ready: api-2: not ready")
    assert found["severity"] == "warning"


def test_a_pod_without_an_address_is_an_endpoint_to_be(shop: Shop) -> None:
    shop.service("api")
    shop.pod("api-0", "", {"app": "api"}, ready=False)
    (endpoint,) = shop.view("api")["endpoints"]
    assert (endpoint["ip"], endpoint["why"]) == ("", "has no address yet")
    assert shop.finding("api", "none is ready")["severity"] == "error"


def test_without_selector_and_endpoints_somebody_has_to_write_them(shop: Shop) -> None:
    shop.service("api", selector=None)
    assert "EndpointSlice" in shop.finding("api", "nobody has given it endpoints")["mend"]


def test_a_named_target_port_that_no_pod_declares_is_told_with_the_one_there_is(
    shop: Shop,
) -> None:
    shop.service("api", ready=1, ports=[{"port": 80, "targetPort": "htpt"}])
    found = shop.finding("api", "the container port named 'htpt', which no Pod declares")
    assert found["mend"] == "they declare 'http': set targetPort: http"


def test_a_target_port_that_is_not_declared_is_a_warning_until_somebody_answers_there(
    shop: Shop,
) -> None:
    shop.service("api", ready=1, ports=[{"port": 80, "targetPort": 9090}])
    shop.slices["default", "api"][0]["ports"] = [{"name": "", "port": 9090}]
    found = shop.finding("api", "port 80 leads to port 9090 of the Pods, which declare 8080 (http)")
    assert found["severity"] == "warning"
    shop.ask("api", to=0)
    assert not [each for each in shop.findings("api") if "9090" in each["what"]]


def test_an_alias_and_a_headless_service_have_nothing_in_the_kernel(shop: Shop) -> None:
    shop.service("alias", type="ExternalName", externalName="example.com", clusterIP="")
    (only,) = shop.findings("alias")
    assert "an alias of example.com" in only["what"]
    shop.service("peers", ready=1, clusterIP="None")
    assert "past the kernel's tables" in shop.finding("peers", "headless")["what"]


def test_a_load_balancer_without_address_still_waits(shop: Shop) -> None:
    service = shop.service("api", ready=1, type="LoadBalancer")
    assert shop.finding("api", "waits for its LoadBalancer address")["severity"] == "warning"
    service["status"] = {"loadBalancer": {"ingress": [{"ip": "192.168.64.200"}]}}
    assert [each["severity"] for each in shop.findings("api")] == ["good"]
    assert shop.view("api")["external_addresses"] == ["192.168.64.200"]


def test_local_policies_name_the_nodes_without_endpoints(shop: Shop) -> None:
    shop.service("inner", ready=1, internalTrafficPolicy="Local")
    assert (
        "node-2 has no ready endpoint: Pods there are refused"
        in (shop.finding("inner", "internalTrafficPolicy is Local")["what"])
    )
    shop.service("outer", ready=1, type="NodePort", externalTrafficPolicy="Local")
    assert "node-2" in shop.finding("outer", "externalTrafficPolicy is Local")["what"]
    shop.service("both", ready=2, internalTrafficPolicy="Local")
    assert not [each for each in shop.findings("both") if "Local" in each["what"]]


def front(service: str, **more: Any) -> dict[str, Any]:
    made = {"front": "10.96.0.50:80/TCP", "rule": "random", "slots": ["10.244.0.10:8080"]}
    return made | {"service": service} | more


def test_a_kernel_that_differs_is_an_error_with_the_nodes(shop: Shop) -> None:
    shop.service("api", ready=1)
    drifted = Kernel(fronts=[front("default/api", drift="missing in the kernel")])
    shop.kernels = {"node-1": Kernel(fronts=[front("default/api")]), "node-2": drifted}
    found = shop.finding("api", "the kernel of node-2 differs")
    assert found["severity"] == "error"
    assert "pilotfish logs node-2" in found["mend"]
    assert [(each["node"], each["drift"]) for each in shop.view("api")["slots"]] == [
        ("node-1", ""),
        ("node-2", "missing in the kernel"),
    ]


def steady(shop: Shop, *times: str) -> None:
    """The Service api, made long ago, whose Pods became ready at these times."""
    service = shop.service("api", ready=len(times))
    service["metadata"]["creationTimestamp"] = "2026-01-01T11:00:00Z"
    for pod, time in zip(shop.pods, times, strict=True):
        pod["status"]["conditions"][0]["lastTransitionTime"] = time


def test_a_kernel_that_lacks_what_has_been_there_for_long_is_behind(shop: Shop) -> None:
    steady(shop, "2026-01-01T11:59:00Z", "2026-01-01T11:59:00Z", "2026-01-01T12:00:00Z")
    whole = ["10.244.0.10:8080", "10.244.0.11:8080"]  # the third Pod is ready since 5 s only
    shop.kernels = {
        "node-1": Kernel(fronts=[front("default/api", slots=whole)]),
        "node-2": Kernel(fronts=[front("default/api")]),
        "node-3": Kernel("not reached"),
    }
    found = shop.finding("api", "the kernel of node-2 is behind: it lacks api-1")
    assert found["severity"] == "error"
    assert "pilotfish logs node-2" in found["mend"]


def test_a_kernel_that_knows_nothing_of_a_service_is_behind_unless_that_is_new(shop: Shop) -> None:
    steady(shop, "2026-01-01T11:59:00Z")
    shop.kernels = {"node-1": Kernel()}
    assert "it lacks 10.96.0.50:80/TCP" in shop.finding("api", "is behind")["what"]
    shop.services[0]["metadata"]["creationTimestamp"] = "2026-01-01T12:00:00Z"
    assert not [each for each in shop.findings("api") if "behind" in each["what"]]


def test_where_traffic_is_kept_near_a_kernel_need_not_know_all(shop: Shop) -> None:
    steady(shop, "2026-01-01T11:59:00Z", "2026-01-01T11:59:00Z")
    shop.services[0]["spec"]["trafficDistribution"] = "PreferSameZone"
    shop.kernels = {"node-1": Kernel(fronts=[front("default/api")])}
    assert [each["severity"] for each in shop.findings("api")] == ["good"]


# --- traffic ---------------------------------------------------------------------------------


def test_pods_that_refuse_have_nobody_listening(shop: Shop) -> None:
    shop.service("api", ready=2)
    for to in (0, 1):
        shop.fail("api", "refused", to, times=4)
    found = shop.finding("api", "2 Pods refuse connections at port 8080: nothing listens there")
    assert found["severity"] == "error"
    assert "ss -ltn" in found["mend"]
    assert len(shop.findings("api")) == 1


def test_pods_that_refuse_at_a_port_they_do_not_declare_lead_to_the_one_they_do(
    shop: Shop,
) -> None:
    shop.service("api", ready=2, ports=[{"port": 80, "targetPort": 9090}])
    shop.slices["default", "api"][0]["ports"] = [{"name": "", "port": 9090}]
    shop.fail("api", "refused", None, times=4)  # by a Pod of another node: nobody knows which
    (only,) = shop.findings("api")
    assert only["what"] == "2 Pods refuse connections at port 9090: nothing listens there"
    assert only["mend"] == "the Pods declare 8080 (http): set targetPort to that"


def test_one_endpoint_that_fails_is_named(shop: Shop) -> None:
    shop.service("api", ready=3)
    for to in (0, 1):
        shop.ask("api", to, times=30)
    shop.ask("api", 2, times=10)
    shop.fail("api", "503", 2, times=20)
    found = shop.finding("api", "requests fail at one endpoint: api-2")
    assert "fails 67% of what it is asked: 503 (20×)" in found["what"]
    assert "kubectl delete pod api-2 -n default" in found["mend"]


def test_errors_of_all_endpoints_are_told_by_kind(shop: Shop) -> None:
    shop.service("api", ready=2)
    for to in (0, 1):
        shop.ask("api", to, times=20)
        shop.fail("api", "500", to, times=4)
        shop.fail("api", "404", to, times=1)
    found = shop.finding("api", "20% of the requests fail: 500 (8×), 404 (2×)")
    assert found["severity"] == "warning"
    assert found["mend"].endswith('error && dst.service.name == "api"')


def test_few_errors_are_not_worth_a_word(shop: Shop) -> None:
    shop.service("api", ready=2)
    shop.ask("api", 0, times=100)
    shop.fail("api", "404", 1, times=2)
    assert [each["severity"] for each in shop.findings("api")] == ["good"]


def test_refusals_of_the_past_are_told_once_endpoints_are_ready(shop: Shop) -> None:
    shop.service("api", ready=1)
    shop.fail("api", "no endpoints", None, times=2)
    assert shop.finding("api", "2 connections were refused")["severity"] == "warning"


def test_an_endpoint_that_is_slow_is_named(shop: Shop) -> None:
    shop.service("api", ready=3)
    for to, elapsed_us in ((0, 4_000), (1, 5_000), (2, 90_000)):
        shop.ask("api", to, times=25, elapsed_time=elapsed_us)
    assert shop.finding("api", "api-2 is slow")["severity"] == "warning"


def test_one_connection_that_carries_most_is_told(shop: Shop) -> None:
    shop.service("api", ready=2)
    shop.ask("api", 0, times=80, connection="kept")
    shop.ask("api", 1, times=20)
    found = shop.finding("api", "one connection carries 80% of the requests")
    assert found["severity"] == "note"


def test_session_affinity_makes_uneven_shares(shop: Shop) -> None:
    affinity = {"clientIP": {"timeoutSeconds": 600}}
    shop.service("api", ready=2, sessionAffinity="ClientIP", sessionAffinityConfig=affinity)
    assert "until 10 min after" in shop.finding("api", "session affinity")["what"]


def test_a_port_that_the_service_lacks_is_told_with_the_one_it_has(shop: Shop) -> None:
    shop.service("api", ready=1)
    wrong = seen_service("api", "10.96.0.50", 8080, "")
    failed = {"error": True, "failure": "no endpoints", "status": "no endpoints"}
    shop.ask("api", None, times=3, dst=wrong, **failed)
    found = shop.finding("api", "Deployment client asks it at port 8080 (3 times); it has 80")
    assert found["mend"] == "8080 is the Pods' port; ask api:80, or give the Service that port"
    assert len(shop.findings("api")) == 1


def test_a_name_in_vain_is_told_to_the_service_that_was_meant(shop: Shop) -> None:
    shop.service("api", ready=1)
    shop.statistics.add(look_up("apy.default.svc.cluster.local.", shop.client))
    shop.statistics.add(look_up("api.shop.svc.cluster.local.", seen_pod("x", "10.244.3.3")))
    shop.statistics.add(look_up("cache.default.svc.cluster.local.", shop.client))
    typing = shop.finding("api", "Deployment client asks for apy.default, which does not exist")
    assert typing["mend"] == "ask for api.default"
    elsewhere = shop.finding("api", "Pod x asks for api.shop")
    assert "looked for in the client's own namespace" in elsewhere["mend"]
    assert len(shop.findings("api")) == 2


def test_the_gravest_comes_first(shop: Shop) -> None:
    shop.service("api", ready=2, unready=1, sessionAffinity="ClientIP")
    for to in (0, 1):
        shop.fail("api", "500", to, times=10)
    severities = [each["severity"] for each in shop.findings("api")]
    assert severities == ["error", "warning", "note"]

"""The official Python client, `kubernetes`: blocking, typed by pydantic models."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from kubernetes import client as k8s
from kubernetes import config, dynamic, informer, utils, watch
from kubernetes.client.exceptions import ApiException
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

from pilotfish.client.api import Client
from support.apiserver import RunningApiServer
from support.objects import replica_set, service
from support.widgets import widget

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"

# Fresh objects whose status has fields that must be there.
FRESH = [
    service("web"),
    replica_set("web", 0),
    {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web"},
            "maxReplicas": 3,
        },
    },
    {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "web"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
    },
    {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "VolumeAttachment",
        "metadata": {"name": "a"},
        "spec": {"attacher": "a", "nodeName": "n", "source": {"persistentVolumeName": "v"}},
    },
]


@pytest.fixture
async def api(server: RunningApiServer) -> AsyncIterator[k8s.ApiClient]:
    api = await asyncio.to_thread(config.new_client_from_config, str(server.kubeconfig))
    yield api
    api.close()


def config_map(name: str, **labels: str) -> k8s.V1ConfigMap:
    metadata = k8s.V1ObjectMeta(name=name, labels=labels)
    return k8s.V1ConfigMap(metadata=metadata, data={"a": "b"})


def deployment(name: str) -> k8s.V1Deployment:
    container = k8s.V1Container(name="c", image="host")
    template = k8s.V1PodTemplateSpec(
        metadata=k8s.V1ObjectMeta(labels={"app": name}), spec=k8s.V1PodSpec(containers=[container])
    )
    selector = k8s.V1LabelSelector(match_labels={"app": name})
    spec = k8s.V1DeploymentSpec(replicas=0, selector=selector, template=template)
    return k8s.V1Deployment(metadata=k8s.V1ObjectMeta(name=name), spec=spec)


async def test_a_service_is_created_read_replaced_patched_and_deleted(api: k8s.ApiClient) -> None:
    def use() -> None:
        v1 = k8s.CoreV1Api(api)
        made = v1.create_namespaced_service("default", service("web"))
        assert made.spec.cluster_ip.startswith("10.")
        made.spec.ports[0].port = 81
        assert v1.replace_namespaced_service("web", "default", made).spec.ports[0].port == 81
        for body, kind in (
            ({"metadata": {"labels": {"strategic": "1"}}}, {}),
            ([{"op": "add", "path": "/metadata/labels/json", "value": "1"}], {}),
            ({"metadata": {"labels": {"merge": "1"}}}, {"_content_type": MERGE}),
            (
                {"apiVersion": "v1", "kind": "Service", "metadata": {"labels": {"apply": "1"}}},
                {"_content_type": APPLY, "field_manager": "me", "force": True},
            ),
        ):
            patched = v1.patch_namespaced_service("web", "default", body, **kind)
        assert patched.metadata.labels == dict.fromkeys(
            ("strategic", "json", "merge", "apply"), "1"
        )
        assert "me" in [each.manager for each in patched.metadata.managed_fields]
        stale = v1.read_namespaced_service("web", "default")
        v1.patch_namespaced_service("web", "default", {"metadata": {"labels": {"x": "y"}}})
        with pytest.raises(ApiException) as conflict:
            v1.replace_namespaced_service("web", "default", stale)
        assert conflict.value.status == 409
        v1.delete_namespaced_service("web", "default")
        with pytest.raises(ApiException) as missing:
            v1.read_namespaced_service("web", "default")
        assert (missing.value.status, missing.value.reason) == (404, "Not Found")

    await asyncio.to_thread(use)


async def test_lists_are_selected_and_come_in_pages(api: k8s.ApiClient) -> None:
    def use() -> None:
        v1 = k8s.CoreV1Api(api)
        for number in range(5):
            v1.create_namespaced_config_map(
                "default", config_map(f"c{number}", odd=str(number % 2))
            )
        names: list[str] = []
        token = None
        while True:
            page = v1.list_namespaced_config_map("default", limit=2, _continue=token)
            names += [each.metadata.name for each in page.items]
            token = page.metadata._continue
            if not token:
                break
        assert [name for name in names if name.startswith("c")] == [f"c{n}" for n in range(5)]
        found = v1.list_namespaced_config_map("default", label_selector="odd in (1)")
        assert [each.metadata.name for each in found.items] == ["c1", "c3"]
        found = v1.list_config_map_for_all_namespaces(field_selector="metadata.name=c2")
        assert [each.metadata.name for each in found.items] == ["c2"]
        v1.delete_collection_namespaced_config_map("default", label_selector="odd")
        assert not v1.list_namespaced_config_map("default", label_selector="odd").items

    await asyncio.to_thread(use)


async def test_a_watch_goes_on_where_it_ended(api: k8s.ApiClient) -> None:
    def use() -> None:
        v1 = k8s.CoreV1Api(api)
        begin = v1.list_namespaced_config_map("default").metadata.resource_version
        v1.create_namespaced_config_map("default", config_map("a"))
        watching = watch.Watch()
        options: dict[str, Any] = {"resource_version": begin, "timeout_seconds": 5}
        for event in watching.stream(v1.list_namespaced_config_map, "default", **options):
            assert (event["type"], event["object"].metadata.name) == ("ADDED", "a")
            watching.stop()
        v1.patch_namespaced_config_map("a", "default", {"data": {"a": "c"}})
        v1.delete_namespaced_config_map("a", "default")
        options["resource_version"] = watching.resource_version
        seen = []
        watching = watch.Watch()
        for event in watching.stream(v1.list_namespaced_config_map, "default", **options):
            seen.append(event["type"])
            if len(seen) == 2:
                watching.stop()
        assert seen == ["MODIFIED", "DELETED"]

    await asyncio.to_thread(use)


async def test_an_informer_keeps_a_cache(api: k8s.ApiClient) -> None:
    def use() -> None:
        v1 = k8s.CoreV1Api(api)
        v1.create_namespaced_config_map("default", config_map("before", mine="yes"))
        cache = informer.SharedInformer(
            v1.list_namespaced_config_map, namespace="default", label_selector="mine=yes"
        )
        told: list[tuple[str, str]] = []
        gone = threading.Event()
        for kind in ("ADDED", "MODIFIED", "DELETED"):

            def note(obj: Any, kind: str = kind) -> None:
                told.append((kind, obj.metadata.name))
                if kind == "DELETED":
                    gone.set()

            cache.add_event_handler(kind, note)
        cache.start()
        v1.create_namespaced_config_map("default", config_map("other"))
        v1.patch_namespaced_config_map("before", "default", {"data": {"a": "c"}})
        v1.delete_namespaced_config_map("before", "default")
        assert gone.wait(5)
        cache.stop()
        assert {name for _, name in told} == {"before"}
        assert not cache.cache.list()

    await asyncio.to_thread(use)


async def test_refused_objects_are_told_as_exceptions_with_the_status(api: k8s.ApiClient) -> None:
    def use() -> None:
        v1 = k8s.CoreV1Api(api)
        with pytest.raises(ApiException) as refused:
            v1.create_namespaced_config_map("default", config_map("Bad_Name"))
        assert refused.value.status == 422
        assert '"field":"metadata.name"' in refused.value.body
        v1.create_namespaced_config_map("default", config_map("a"))
        with pytest.raises(ApiException) as twice:
            v1.create_namespaced_config_map("default", config_map("a"))
        assert (twice.value.status, "AlreadyExists" in twice.value.body) == (409, True)

    await asyncio.to_thread(use)


async def test_deployments_scale_and_merge_their_containers(api: k8s.ApiClient) -> None:
    def use() -> None:
        apps = k8s.AppsV1Api(api)
        apps.create_namespaced_deployment("default", deployment("d"))
        apps.patch_namespaced_deployment_scale("d", "default", {"spec": {"replicas": 2}})
        assert apps.read_namespaced_deployment_scale("d", "default").spec.replicas == 2
        container = {"name": "c", "env": [{"name": "A", "value": "B"}]}
        patch = {"spec": {"template": {"spec": {"containers": [container]}}}}
        patched = apps.patch_namespaced_deployment("d", "default", patch)
        (merged,) = patched.spec.template.spec.containers
        assert (merged.image, merged.env[0].name) == ("host", "A")
        status = {"status": {"replicas": 2}}
        assert apps.patch_namespaced_deployment_status("d", "default", status).status.replicas == 2
        apps.delete_namespaced_deployment("d", "default", propagation_policy="Background")

    await asyncio.to_thread(use)


@pytest.mark.usefixtures("widgets")
async def test_custom_objects_are_used_by_name(api: k8s.ApiClient) -> None:
    def use() -> None:
        custom = k8s.CustomObjectsApi(api)
        place = ("example.com", "v1", "default", "widgets")
        custom.create_namespaced_custom_object(*place, widget("a"))
        custom.patch_namespaced_custom_object(*place, "a", {"spec": {"replicas": 3}})
        scale = custom.get_namespaced_custom_object_scale(*place, "a")
        assert scale["spec"]["replicas"] == 3
        custom.patch_namespaced_custom_object_status(*place, "a", {"status": {"ok": True}})
        obj = custom.get_namespaced_custom_object(*place, "a")
        assert obj["status"] == {"ok": True}
        custom.replace_namespaced_custom_object(*place, "a", {**obj, "spec": {"color": "blue"}})
        (found,) = custom.list_namespaced_custom_object(*place)["items"]
        assert found["spec"] == {"color": "blue", "replicas": 1}
        custom.delete_namespaced_custom_object(*place, "a")

    await asyncio.to_thread(use)


@pytest.mark.usefixtures("widgets")
async def test_the_dynamic_client_finds_kinds_by_discovery(api: k8s.ApiClient) -> None:
    def use() -> None:
        found = dynamic.DynamicClient(api)
        maps = found.resources.get(api_version="v1", kind="ConfigMap")
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
        maps.create(namespace="default", body=body)
        maps.patch(namespace="default", name="a", body={"data": {"a": "c"}})
        applied = {**body, "data": {"z": "y"}}
        maps.server_side_apply(namespace="default", name="a", body=applied, field_manager="me")
        assert maps.get(namespace="default", name="a").data.to_dict() == {"a": "c", "z": "y"}
        for event in maps.watch(namespace="default", name="a", timeout=5):
            assert event["type"] == "ADDED"
            break
        widgets = found.resources.get(api_version="example.com/v1", kind="Widget")
        assert widgets.create(namespace="default", body=widget("w")).spec.replicas == 1
        widgets.status.patch(
            namespace="default", name="w", body={"status": {"x": 1}}, content_type=MERGE
        )
        assert widgets.get(namespace="default", name="w").status.x == 1
        with pytest.raises(dynamic.exceptions.NotFoundError):
            widgets.get(namespace="default", name="none")

    await asyncio.to_thread(use)


async def test_every_kind_lists_as_its_model_wants_it(api: k8s.ApiClient) -> None:
    """The models check their fields: what must be there, is."""

    def use() -> None:
        utils.create_from_yaml(api, yaml_objects=FRESH)
        groups = [
            name
            for name in dir(k8s)
            if name.endswith("Api") and name[:-3].endswith(("V1", "V2")) and "Internal" not in name
        ]
        assert len(groups) > 15
        for group in groups:
            of_group = getattr(k8s, group)(api)
            for name in dir(of_group):
                if name.startswith("list_") and "namespaced" not in name and "_with" not in name:
                    getattr(of_group, name)()

    await asyncio.to_thread(use)


async def test_one_of_two_candidates_leads_by_a_lease(api: k8s.ApiClient, client: Client) -> None:
    def candidate(name: str) -> leaderelection.LeaderElection:
        lock = LeaseLock("lead", "default", name)
        lock.api_instance = k8s.CoordinationV1Api(api)
        times = {"lease_duration": 17, "renew_deadline": 15, "retry_period": 5}
        settings = electionconfig.Config(
            lock, **times, onstarted_leading=print, onstopped_leading=None
        )
        return leaderelection.LeaderElection(settings)

    first, second = candidate("first"), candidate("second")
    assert await asyncio.to_thread(first.try_acquire_or_renew)
    assert not await asyncio.to_thread(second.try_acquire_or_renew)
    assert await asyncio.to_thread(first.try_acquire_or_renew)
    lease = await client.get("leases.coordination.k8s.io", "lead", "default")
    assert lease["spec"]["holderIdentity"] == "first"

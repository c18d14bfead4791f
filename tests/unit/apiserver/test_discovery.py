"""Discovery and OpenAPI: made from the catalog as it is at the moment."""

from __future__ import annotations

from typing import Any

from pilotfish.apiserver import discovery, openapi
from pilotfish.apiserver.catalog import Catalog
from pilotfish.apiserver.openapi_protobuf import encode_document
from pilotfish.objects.resources import Resource, resource

WIDGET = Resource("example.com", "v1", "widgets", "widget", "Widget", True, ("wd",))


def names(listed: dict[str, Any] | None) -> list[str]:
    assert listed is not None
    return [entry["name"] for entry in listed["resources"]]


def test_a_resource_is_discovered_while_it_is_served() -> None:
    catalog = Catalog()
    before = catalog.generation
    catalog.add(WIDGET)
    assert catalog.generation > before
    assert names(discovery.resource_list(catalog, "example.com", "v1")) == ["widgets"]
    catalog.remove(WIDGET)
    assert discovery.resource_list(catalog, "example.com", "v1") is None
    assert discovery.single_group(catalog, "example.com") is None


def test_the_stored_version_has_a_hash_that_is_kubernetes_own() -> None:
    catalog = Catalog()

    def hashes(group: str, version: str) -> dict[str, str | None]:
        listed = discovery.resource_list(catalog, group, version)
        assert listed is not None
        return {each["name"]: each.get("storageVersionHash") for each in listed["resources"]}

    core = hashes("", "v1")
    # As a kube-apiserver says them.
    assert core["pods"] == "xPOwRZ+Yhw8="
    assert core["namespaces"] == "Q3oi5N2YM8M="
    assert core["pods/log"] is None and core["bindings"] is None
    assert hashes("apps", "v1")["deployments"] == "8aSe+NMegvE="
    assert hashes("events.k8s.io", "v1")["events"] == core["events"]
    autoscaling = [hashes("autoscaling", version) for version in ("v1", "v2")]
    assert autoscaling[0]["horizontalpodautoscalers"] == autoscaling[1]["horizontalpodautoscalers"]


def test_verbs_are_those_that_kubernetes_has() -> None:
    listed = discovery.resource_list(Catalog(), "", "v1")
    assert listed is not None
    verbs = {each["name"]: each["verbs"] for each in listed["resources"]}
    assert verbs["componentstatuses"] == ["get", "list"]
    assert "deletecollection" not in verbs["namespaces"]
    assert "deletecollection" in verbs["pods"]


def test_subresources_tell_the_kind_that_they_speak() -> None:
    listed = discovery.resource_list(Catalog(), "apps", "v1")
    assert listed is not None
    scale = next(each for each in listed["resources"] if each["name"] == "deployments/scale")
    assert (scale["group"], scale["version"], scale["kind"]) == ("autoscaling", "v1", "Scale")


def test_aggregated_discovery_tells_the_same_resources() -> None:
    catalog = Catalog()
    for group in discovery.aggregated(catalog, False, "v2")["items"]:
        for version in group["versions"]:
            plain = names(
                discovery.resource_list(catalog, group["metadata"]["name"], version["version"])
            )
            told = [each["resource"] for each in version["resources"]]
            assert told == [name for name in plain if "/" not in name]


def test_every_reference_of_a_document_leads_to_a_schema() -> None:
    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*(references(each) for each in value.values()))
        return set().union(*map(references, value)) if isinstance(value, list) else set()

    catalog = Catalog()
    for group, versions in catalog.groups().items():
        for version in versions:
            document = openapi.document_v3(catalog.of_version(group, version))
            known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
            assert references(document) <= known


def test_lists_tell_how_they_merge() -> None:
    document = openapi.document_v3(Catalog().of_version("", "v1"))
    ports = document["components"]["schemas"]["io.k8s.api.core.v1.ServiceSpec"]["properties"][
        "ports"
    ]
    assert ports["x-kubernetes-patch-merge-key"] == "port"
    assert ports["x-kubernetes-list-map-keys"] == ["port", "protocol"]


def test_a_patch_tells_that_fields_can_be_validated() -> None:
    document = openapi.document_v3(Catalog().of_version("", "v1"))
    path = resource("services").path("{namespace}", "{name}")
    parameters = {each["name"] for each in document["paths"][path]["patch"]["parameters"]}
    assert parameters >= {"fieldValidation", "dryRun", "fieldManager", "force"}


def test_the_protobuf_document_begins_as_one() -> None:
    encoded = encode_document(openapi.document_v2(list(Catalog())))
    assert encoded.startswith(b"\x0a\x032.0\x12")
    assert b"io.k8s.api.core.v1.ServicePort" in encoded

"""Requests with a mistake in them are refused in kube-apiserver's words, wherever they are sent."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from support.apiserver import RunningApiServer, running_api_server
from support.objects import config_map, pod
from support.protobuf import encode
from support.widgets import definition

MAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
YAML = "application/yaml"
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "d"},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"a": "b"}},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "c", "image": "host"}]},
        },
    },
}


class Sender:
    """Sends what no well-behaved client would."""

    def __init__(self, server: RunningApiServer) -> None:
        self._connector = aiohttp.UnixConnector(str(server.folder / "api.sock"))
        self._session = aiohttp.ClientSession("http://api", connector=self._connector)

    async def close(self) -> None:
        await self._session.close()

    async def __call__(
        self, method: str, path: str, body: Any = b"", content_type: str = "", **headers: str
    ) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        if content_type or data:
            headers["Content-Type"] = content_type or "application/json"
        async with self._session.request(method, path, data=data, headers=headers) as answer:
            text = await answer.text()
            return answer.status, json.loads(text)


@pytest.fixture
async def send(tmp_path: Path) -> AsyncIterator[Sender]:
    async with running_api_server(tmp_path) as server:
        sender = Sender(server)
        await sender("POST", MAPS, config_map("a", k="v"))
        await sender("POST", DEPLOYMENTS, DEPLOYMENT)
        await sender("POST", "/api/v1/namespaces/default/pods", pod("p"))
        yield sender
        await sender.close()


@pytest.mark.parametrize(
    ("method", "path", "code", "words"),
    [
        ("POST", f"{MAPS}?dryRun=x", 422, 'dryRun: Unsupported value: ["x"]'),
        ("POST", f"{MAPS}?fieldValidation=x", 422, "fieldValidation: Unsupported value"),
        ("POST", f"{MAPS}?fieldManager={'m' * 129}", 422, "fieldManager: Too long"),
        ("POST", f"{MAPS}?fieldManager=%07", 422, "only contain printable characters"),
        ("PUT", f"{MAPS}/a?dryRun=x", 422, "UpdateOptions.meta.k8s.io"),
        ("DELETE", f"{MAPS}/a?propagationPolicy=x", 422, "propagationPolicy: Unsupported value"),
        ("DELETE", f"{MAPS}/a?gracePeriodSeconds=x", 400, "strconv.ParseInt"),
        ("DELETE", f"{MAPS}?resourceVersionMatch=Exact", 422, "unless resourceVersion is provided"),
        (
            "GET",
            f"{MAPS}?resourceVersionMatch=Exact&resourceVersion=0",
            422,
            '"exact" is forbidden',
        ),
        ("GET", f"{MAPS}?resourceVersionMatch=x&resourceVersion=1", 422, "Unsupported value"),
        ("GET", f"{MAPS}?sendInitialEvents=true", 422, "sendInitialEvents is forbidden for list"),
        ("GET", f"{MAPS}?continue=x&resourceVersion=1", 400, "not allowed when using continue"),
        ("GET", f"{MAPS}?continue=x&resourceVersionMatch=Exact", 422, "when continue is provided"),
        ("GET", f"{MAPS}?continue=eyJydiI6IngifQ", 400, "continue key is not valid"),
        ("GET", f"{MAPS}?resourceVersion={'9' * 5000}", 400, "resourceVersion: Invalid value"),
        ("GET", f"{MAPS}?limit={'9' * 5000}", 400, "value out of range"),
        ("GET", f"{MAPS}?watch=1&resourceVersionMatch=Exact", 422, "forbidden for watch unless"),
    ],
)
async def test_options_are_checked(
    send: Sender, method: str, path: str, code: int, words: str
) -> None:
    status, answer = await send(method, path, config_map("a") if method in ("POST", "PUT") else b"")
    assert (status, answer["kind"]) == (code, "Status")
    assert words in answer["message"]


async def test_force_is_for_applying_and_a_negative_limit_is_none(send: Sender) -> None:
    status, answer = await send("PATCH", f"{MAPS}/a?force=true", {}, MERGE)
    assert (status, answer["message"].endswith("may not be specified for non-apply patch")) == (
        422,
        True,
    )
    _, everything = await send("GET", MAPS)
    _, listed = await send("GET", f"{MAPS}?limit=-1")
    assert len(listed["items"]) == len(everything["items"])
    assert "continue" not in listed["metadata"]


@pytest.mark.parametrize(
    ("content_type", "patch", "words"),
    [
        (MERGE, {"spec": {"replicas": "x"}}, "cannot unmarshal string into Go struct field"),
        (
            JSON_PATCH,
            [{"op": "replace", "path": "/spec/replicas", "value": "x"}],
            "cannot unmarshal string into Go struct field",
        ),
        (STRATEGIC, {"spec": {"replicas": "x"}}, "cannot convert string to int32"),
        (STRATEGIC, {"spec": {"template": "x"}}, "cannot restore struct from: string"),
        (STRATEGIC, {"spec": {"template": {"spec": {"containers": "x"}}}}, "cannot restore slice"),
        (STRATEGIC, {"metadata": {"labels": "x"}}, "cannot restore map from string"),
    ],
)
async def test_a_patch_that_makes_a_wrong_type_is_invalid(
    send: Sender, content_type: str, patch: Any, words: str
) -> None:
    status, answer = await send("PATCH", f"{DEPLOYMENTS}/d", patch, content_type)
    assert (status, answer["reason"]) == (422, "Invalid")
    assert answer["message"].startswith(' "" is invalid: patch: Invalid value: ')
    assert words in answer["message"]


@pytest.mark.parametrize("content_type", [MERGE, STRATEGIC])
async def test_a_scale_of_a_wrong_type_is_invalid(send: Sender, content_type: str) -> None:
    patch = {"spec": {"replicas": "x"}}
    status, answer = await send("PATCH", f"{DEPLOYMENTS}/d/scale", patch, content_type)
    assert (status, answer["reason"]) == (422, "Invalid")
    status, answer = await send("PUT", f"{DEPLOYMENTS}/d/scale", patch)
    assert (status, "cannot be handled as a Scale" in answer["message"]) == (400, True)


@pytest.mark.parametrize("content_type", [MERGE, STRATEGIC])
async def test_a_patch_cannot_move_an_object(send: Sender, content_type: str) -> None:
    path = f"{MAPS}/a"
    status, answer = await send("PATCH", path, {"metadata": {"namespace": "x"}}, content_type)
    assert status == 400
    assert answer["message"] == (
        "the namespace of the object (x) does not match the namespace on the request (default)"
    )
    status, answer = await send("PATCH", path, {"metadata": {"uid": "x"}}, content_type)
    assert (status, "metadata.uid: Invalid value" in answer["message"]) == (422, True)
    status, answer = await send("PATCH", path, {"metadata": {"name": "x"}}, content_type)
    assert (status, "does not match the name on the URL" in answer["message"]) == (400, True)


async def test_a_put_needs_a_name(send: Sender) -> None:
    status, answer = await send("PUT", f"{MAPS}/a", {"data": {}})
    assert (status, "name must be provided" in answer["message"]) == (400, True)


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        (f"{MAPS}/a", {"gracePeriodSeconds": "x"}, "cannot be handled as a DeleteOptions"),
        (f"{MAPS}/a", {"kind": "Pod", "apiVersion": "v1"}, "unknown conversion"),
        (f"{MAPS}/a", {"preconditions": []}, "cannot be handled as a DeleteOptions"),
        (MAPS, [], "must be of type DeleteOptions"),
    ],
)
async def test_options_of_a_deletion_have_types(
    send: Sender, path: str, body: Any, words: str
) -> None:
    status, answer = await send("DELETE", path, body)
    assert (status, answer["reason"]) == (400, "BadRequest")
    assert words in answer["message"]


@pytest.mark.parametrize("subresource", ["eviction", "binding"])
@pytest.mark.parametrize(
    "body", [pod("p"), {"metadata": []}, {"deleteOptions": 3, "target": 3}, [], 3]
)
async def test_subresources_take_their_own_kind(send: Sender, subresource: str, body: Any) -> None:
    path = f"/api/v1/namespaces/default/pods/p/{subresource}"
    status, answer = await send("POST", path, body)
    assert (status, answer["reason"]) == (400, "BadRequest")


async def test_a_body_that_is_none_names_the_kind_that_was_expected(send: Sender) -> None:
    status, answer = await send("POST", "/api/v1/namespaces", b'{"a"')
    assert status == 400
    assert answer["message"].startswith(
        "the object provided is unrecognized (must be of type Namespace): couldn't get "
        "version/kind; json parse error: "
    )
    assert answer["message"].endswith('({"a")')


async def test_strict_readers_name_the_path_of_what_stands_twice(send: Sender) -> None:
    url = f"{DEPLOYMENTS}?fieldValidation=Strict"
    text = json.dumps(DEPLOYMENT).replace('"replicas": 0', '"paused": true, "paused": true')
    _, answer = await send("POST", url, text.replace('"name": "d"', '"name": "e"').encode())
    assert 'strict decoding error: duplicate field "spec.paused"' in answer["message"]
    text = (
        "kind: Deployment\napiVersion: apps/v1\nspec:\n  paused: true\n  paused: true\n  foo: 1\n"
    )
    _, answer = await send("POST", url, text.encode(), YAML)
    assert 'line 5: key "paused" already set in map' in answer["message"]
    assert 'unknown field "spec.foo"' in answer["message"]


async def test_unknown_fields_of_an_apply_have_no_place_in_the_schema(send: Sender) -> None:
    applied = {**config_map("a"), "foo": 1}
    status, answer = await send("PATCH", f"{MAPS}/a?fieldManager=m", applied, APPLY)
    assert status == 500
    assert answer["message"] == (
        "failed to create typed patch object (default/a; /v1, Kind=ConfigMap): .foo: field not "
        "declared in schema"
    )


async def test_yaml_bombs_are_refused_and_the_server_goes_on(send: Sender) -> None:
    for body in (b"[" * 30_000, b"- " * 30_000, b"{a: " * 30_000):
        for method, path, content_type in (
            ("POST", MAPS, YAML),
            ("PATCH", f"{MAPS}/a?fieldManager=m", APPLY),
            ("DELETE", f"{MAPS}/a", YAML),
        ):
            status, answer = await send(method, path, body, content_type)
            assert (status, "exceeded max depth" in answer["message"]) == (400, True)
    lines = ["a0: &a0 {k: v}"] + [f"a{n}: &a{n} {{<<: *a{n - 1}, z: *a{n - 1}}}" for n in range(60)]
    lines[1] = "a0: &a0 {k: v}"
    status, _ = await send("POST", MAPS, "\n".join(lines).encode(), YAML)
    assert status == 400
    assert (await send("GET", f"{MAPS}/a"))[0] == 200


@pytest.mark.parametrize("content_type", ["application/json", MERGE, JSON_PATCH, STRATEGIC, APPLY])
async def test_deep_json_is_refused(send: Sender, content_type: str) -> None:
    deep = b'{"a":' * 500 + b"1" + b"}" * 500
    method = "PUT" if content_type == "application/json" else "PATCH"
    status, answer = await send(method, f"{MAPS}/a?fieldManager=m", deep, content_type)
    assert (status, "max depth" in answer["message"]) == (400, True)


async def test_bodies_have_a_limit_and_are_not_unpacked(send: Sender) -> None:
    status, answer = await send("POST", MAPS, b'{"a":"' + b"x" * 3 * 1024 * 1024 + b'"}')
    assert (status, answer["reason"]) == (413, "RequestEntityTooLarge")
    packed = gzip.compress(json.dumps(config_map("b")).encode())
    status, answer = await send("POST", MAPS, packed, Content_Encoding="gzip")
    assert status in (400, 415)
    status, _ = await send("POST", MAPS, packed[:10], **{"Content-Encoding": "gzip"})
    assert status == 400


async def test_a_json_patch_has_a_limit_of_operations(send: Sender) -> None:
    patch = [{"op": "test", "path": "/kind", "value": "ConfigMap"}] * 10_001
    status, answer = await send("PATCH", f"{MAPS}/a", patch, JSON_PATCH)
    assert (status, "maximum operations in a JSON patch is 10000" in answer["message"]) == (
        413,
        True,
    )


async def test_required_fields_cannot_be_taken_out(send: Sender) -> None:
    binding = {
        "metadata": {"name": "b"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "x"},
    }
    path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
    assert (await send("POST", path, binding))[0] == 201
    patch = [{"op": "remove", "path": "/roleRef"}]
    assert (await send("PATCH", f"{path}/b", patch, JSON_PATCH))[0] == 422


async def test_a_role_with_a_selector_that_is_none_is_refused(send: Sender) -> None:
    selector = {"matchExpressions": [{"key": "a", "operator": "-1"}]}
    role = {
        "metadata": {"name": "r"},
        "aggregationRule": {"clusterRoleSelectors": [selector]},
    }
    path = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
    assert (await send("POST", path, role))[0] == 422
    assert (await send("GET", path))[0] == 200


async def test_a_priority_class_without_a_value_has_zero(send: Sender) -> None:
    path = "/apis/scheduling.k8s.io/v1/priorityclasses"
    status, answer = await send("POST", path, {"metadata": {"name": "c"}, "globalDefault": True})
    assert (status, answer["value"]) == (201, 0)
    status, answer = await send("POST", "/api/v1/namespaces/default/pods", pod("q"))
    assert (status, answer["spec"]["priority"]) == (201, 0)


async def test_a_definition_in_protobuf_is_served(send: Sender) -> None:
    sent = definition()
    for version in sent["spec"]["versions"]:
        version["subresources"] = {"status": {}}
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    status, answer = await send("POST", path, encode(sent), "application/vnd.kubernetes.protobuf")
    assert (status, answer.get("message")) == (201, None)
    assert answer["spec"]["versions"][0]["subresources"] == {"status": {}}


async def test_a_deleted_collection_can_be_shown_as_a_table(send: Sender) -> None:
    accept = "application/json;as=Table;g=meta.k8s.io;v=v1"
    status, answer = await send("DELETE", MAPS, Accept=accept)
    assert (status, answer["kind"]) == (200, "Table")
    assert "a" in [row["cells"][0] for row in answer["rows"]]


@pytest.mark.parametrize("element", [True, 3, "x", None, [], [{"port": 80}]])
async def test_an_element_that_is_no_object_is_refused(send: Sender, element: Any) -> None:
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    assert (await send("POST", path, definition()))[0] == 201
    widget = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "w"},
        "spec": {"color": "red", "ports": [element]},
    }
    path = "/apis/example.com/v1/namespaces/default/widgets"
    status, answer = await send("POST", path, widget)
    assert (status, answer["kind"]) == (422, "Status")

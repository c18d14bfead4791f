"""Requests that are not as they should be, at the level of HTTP."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
import yaml

from support.apiserver import RunningApiServer
from support.objects import config_map

MAPS = "/api/v1/namespaces/default/configmaps"


async def send(
    server: RunningApiServer, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, Any, Any]:
    """Code, headers and JSON body of an answer."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession(skip_auto_headers=["Content-Type"]) as session,
        session.request(
            method,
            server.url + path,
            data=body,
            headers=sent,
            ssl=server.client_config().ssl_context(),
        ) as response,
    ):
        return response.status, response.headers, await response.json(content_type=None)


@pytest.mark.parametrize(
    ("body", "content_type", "code", "words"),
    [
        (b"{nonsense", "application/json", 400, "json parse error"),
        (b"[1]", "application/json", 400, "cannot unmarshal array"),
        (b"{}", "application/json", 422, "metadata.name: Required value"),
        (b"a: [", "application/yaml", 400, "must be of type ConfigMap): yaml: line "),
        (b"<x/>", "application/xml", 415, "accepted media types include: application/json"),
        (b"k8s\x00junk", "application/vnd.kubernetes.protobuf", 400, "protobuf"),
        (b'{"kind":"Pod","apiVersion":"v1"}', "application/json", 400, "cannot be handled as a"),
        (
            b'{"kind":"ConfigMap","apiVersion":"v2"}',
            "application/json",
            400,
            "does not match the expected API version",
        ),
        (
            b'{"kind":"ConfigMap","apiVersion":"v1","metadata":{"namespace":"other","name":"a"}}',
            "application/json",
            400,
            "the namespace of the provided object does not match",
        ),
    ],
)
async def test_a_bad_body_is_answered_with_a_status(
    server: RunningApiServer, body: bytes, content_type: str, code: int, words: str
) -> None:
    status, _, answer = await send(server, "POST", MAPS, body, Content_Type=content_type)
    assert (status, answer["kind"], answer["code"]) == (code, "Status", code)
    assert words in answer["message"]


async def test_a_huge_body_is_refused(server: RunningApiServer) -> None:
    status, _, answer = await send(server, "POST", MAPS, b"x" * (3 * 1024 * 1024 + 1))
    assert (status, answer["reason"]) == (413, "RequestEntityTooLarge")


async def test_yaml_is_read_and_written(server: RunningApiServer) -> None:
    body = yaml.safe_dump(config_map("a", day="2026-01-01")).encode()
    status, _, _ = await send(server, "POST", MAPS, body, Content_Type="application/yaml")
    assert status == 201
    assert "day" in await server.kubectl("get", "cm", "a", "-o", "yaml")


async def test_unknown_fields_are_warned_about_by_default_and_can_be_refused(
    server: RunningApiServer,
) -> None:
    body = b'{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"},"dta":{},"dta":{}}'
    status, headers, answer = await send(server, "POST", MAPS + "?fieldValidation=Strict", body)
    assert status == 400
    assert answer["message"] == (
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: '
        'duplicate field "dta", unknown field "dta"'
    )
    status, headers, answer = await send(server, "POST", MAPS, body)
    assert status == 201
    assert headers.getall("Warning") == [
        '299 - "duplicate field \\"dta\\""',
        '299 - "unknown field \\"dta\\""',
    ]
    assert "dta" not in answer


async def test_a_shape_that_cannot_be_made_is_not_acceptable(server: RunningApiServer) -> None:
    protobuf = "application/vnd.kubernetes.protobuf"
    status, _, answer = await send(server, "GET", MAPS, Accept=protobuf)
    assert (status, answer["reason"]) == (406, "NotAcceptable")
    status, _, answer = await send(server, "GET", MAPS, Accept=f"{protobuf},application/json")
    assert (status, answer["kind"]) == (200, "ConfigMapList")


async def test_metadata_alone_can_be_asked_for(server: RunningApiServer) -> None:
    accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
    _, _, answer = await send(server, "GET", "/api/v1/namespaces", Accept=accept)
    assert answer["kind"] == "PartialObjectMetadataList"
    assert answer["items"][0].keys() == {"kind", "apiVersion", "metadata"}


async def test_a_patch_of_an_unknown_kind_of_patch_is_refused(server: RunningApiServer) -> None:
    status, _, answer = await send(
        server, "PATCH", "/api/v1/namespaces/default", b"{}", Content_Type="application/json"
    )
    assert status == 415
    assert "application/strategic-merge-patch+json" in answer["message"]


async def raw(server: RunningApiServer, path: str, **headers: str) -> tuple[int, str]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    context = server.client_config().ssl_context()
    async with (
        aiohttp.ClientSession(headers=sent) as session,
        session.get(server.url + path, ssl=context) as response,
    ):
        return response.status, await response.text()


NAMESPACE = "/api/v1/namespaces/default"


@pytest.mark.parametrize(
    ("path", "headers", "is_indented"),
    [
        (NAMESPACE, {}, False),
        (NAMESPACE, {"User_Agent": "curl/8.5.0"}, True),
        (NAMESPACE, {"User_Agent": "Mozilla/5.0 (X11; Linux)"}, True),
        (NAMESPACE, {"User_Agent": "kubectl/v1.37.0"}, False),
        (f"{NAMESPACE}?pretty=true", {}, True),
        (f"{NAMESPACE}?pretty=0", {"User_Agent": "curl/8.5.0"}, False),
        (NAMESPACE, {"Accept": "application/json; pretty=1"}, True),
        ("/api/v1/namespaces?pretty=1", {}, True),
        ("/apis?pretty=1", {}, True),
        ("/version", {"User_Agent": "curl/8.5.0"}, True),
        ("/api/v1/namespaces/none?pretty=1", {}, True),
    ],
)
async def test_people_get_indented_answers(
    server: RunningApiServer, path: str, headers: dict[str, str], is_indented: bool
) -> None:
    _, text = await raw(server, path, **headers)
    assert text.startswith('{\n  "' if is_indented else '{"')


async def test_checks_of_health_have_kubernetes_names(server: RunningApiServer) -> None:
    for path in ("/healthz/etcd", "/livez/etcd", "/readyz/etcd", "/readyz?exclude=etcd"):
        assert await raw(server, path) == (200, "ok")
    assert await raw(server, "/readyz?verbose&exclude=ping") == (
        200,
        "[+]etcd ok\nreadyz check passed\n",
    )
    assert (await raw(server, "/healthz/nonsense"))[0] == 404


async def test_checks_of_health_are_counted(server: RunningApiServer) -> None:
    for _ in range(2):
        await raw(server, "/livez/etcd")
    _, text = await raw(server, "/metrics/slis")
    assert 'kubernetes_healthcheck{name="etcd",type="livez"} 1' in text.splitlines()
    counted = 'kubernetes_healthchecks_total{name="etcd",status="success",type="livez"} 2'
    assert counted in text.splitlines()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/api/v1/namespaces"),
        ("POST", "/api/v1/componentstatuses"),
        ("DELETE", "/api/v1/componentstatuses/x"),
        ("GET", "/api/v1/componentstatuses?watch=1"),
        ("PUT", "/api/v1/namespaces/default/pods/p/exec"),
        ("POST", "/api/v1/namespaces/default/pods/p/log"),
    ],
)
async def test_what_discovery_does_not_name_is_not_allowed(
    server: RunningApiServer, method: str, path: str
) -> None:
    code, _, body = await send(server, method, path, b"{}", Content_Type="application/json")
    assert (code, body["reason"]) == (405, "MethodNotAllowed")


WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


@pytest.mark.parametrize(
    ("headers", "groups"),
    [
        ({"Impersonate_User": "alice"}, ["system:authenticated"]),
        (
            {"Impersonate_User": "alice", "Impersonate_Group": "devs"},
            ["devs", "system:authenticated"],
        ),
        (
            {"Impersonate_User": "alice", "Impersonate_Group": "system:unauthenticated"},
            ["system:unauthenticated"],
        ),
        ({"Impersonate_User": "system:anonymous"}, ["system:unauthenticated"]),
        (
            {"Impersonate_User": "system:anonymous", "Impersonate_Group": "devs"},
            ["devs", "system:unauthenticated"],
        ),
        (
            {"Impersonate_User": "system:serviceaccount:a:b"},
            ["system:serviceaccounts", "system:serviceaccounts:a", "system:authenticated"],
        ),
    ],
)
async def test_whoever_is_impersonated_has_the_groups_that_kubernetes_gives(
    server: RunningApiServer, headers: dict[str, str], groups: list[str]
) -> None:
    # So that even strangers are answered.
    everybody = ("create", "clusterrolebinding", "everybody", "--clusterrole=system:basic-user")
    await server.kubectl(*everybody, "--group=system:unauthenticated")
    code, _, body = await send(
        server, "POST", WHOAMI, b"{}", Content_Type="application/json", **headers
    )
    assert code == 201
    assert body["status"]["userInfo"] == {"username": headers["Impersonate_User"], "groups": groups}


@pytest.mark.parametrize("header", ["Impersonate_Group", "Impersonate_Uid", "Impersonate_Extra_A"])
async def test_parts_of_a_user_are_not_impersonated_without_the_user(
    server: RunningApiServer, header: str
) -> None:
    code, _, body = await send(server, "GET", MAPS, **{header: "x"})
    assert (code, body["reason"]) == (400, "BadRequest")
    assert "without impersonating a user" in body["message"]


@pytest.mark.parametrize(
    ("method", "path", "content_type", "body", "code"),
    [
        ("GET", "/api/v1/configmaps?timeoutSeconds=x", "", b"", 400),
        ("GET", "/api/v1/configmaps?timeoutSeconds=5", "", b"", 200),
        ("POST", "/api/v1/namespaces", "text/plain", b"{}", 415),
        ("POST", "/api/v1/namespaces", "application/octet-stream", b"{}", 415),
        (
            "POST",
            "/api/v1/namespaces/default/pods/p/eviction",
            "application/json",
            b'{"apiVersion":"policy/v1","kind":"Eviction"}',
            400,
        ),
    ],
)
async def test_what_a_request_lacks_or_gets_wrong_is_refused(
    server: RunningApiServer, method: str, path: str, content_type: str, body: bytes, code: int
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    async with (
        aiohttp.ClientSession() as session,
        session.request(
            method,
            server.url + path,
            ssl=server.client_config().ssl_context(),
            headers=headers,
            data=body,
        ) as answer,
    ):
        assert answer.status == code, await answer.text()

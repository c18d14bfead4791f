"""Custom resources through a running server."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest
import yaml

from pilotfish.apiserver.custom import installing
from pilotfish.apiserver.custom.resource import is_established
from pilotfish.client.api import Client
from pilotfish.client.errors import ApiError, Invalid, NotFound
from pilotfish.objects.meta import Object
from support.apiserver import RunningApiServer, running_api_server
from support.kubectls import KUBECTLS
from support.widgets import SCHEMA, SPEC, definition, widget

DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"
WIDGETS = "/apis/example.com/v1/namespaces/default/widgets"


async def post(client: Client, obj: Object) -> Object:
    return await client.request("POST", WIDGETS, body=obj)


async def test_a_definition_is_served_and_told_at_once(
    server: RunningApiServer, client: Client
) -> None:
    created = await client.create(DEFINITIONS, definition())
    assert {each["type"]: each["status"] for each in created["status"]["conditions"]} == {
        "NamesAccepted": "True",
        "Established": "True",
    }
    made = await post(client, widget("a", unknown=1))
    assert made["spec"] == {"color": "red", "replicas": 1}
    assert made["metadata"]["generation"] == 1
    assert "wd" in await server.kubectl("api-resources", "--api-group=example.com")
    assert "-required-" in await server.kubectl("explain", "widgets.spec")
    assert "widget.example.com/a" in await server.kubectl("get", "all", "-o", "name")


async def test_what_the_schema_does_not_allow_is_refused_field_by_field(client: Client) -> None:
    await client.create(DEFINITIONS, definition())
    with pytest.raises(Invalid) as refused:
        await post(client, widget("a", color="green", replicas=11))
    fields = {cause["field"] for cause in refused.value.status["details"]["causes"]}
    assert fields == {"spec.color", "spec.replicas"}


async def test_stock_kubectl_applies_prints_scales_and_finds_them(
    server: RunningApiServer, client: Client
) -> None:
    await server.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(definition()))
    await server.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(widget("a")))
    changed = yaml.safe_dump(widget("a", ports=[{"port": 1}]))
    assert "configured" in await server.kubectl("apply", "-f", "-", stdin=changed)
    await server.kubectl("scale", "wd", "a", "--replicas=3")
    status = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    patch = ("patch", "wd", "a", "--type=merge", "-p", json.dumps(status))
    await server.kubectl(*patch)
    assert "True" not in await server.kubectl("get", "wd")
    await server.kubectl(*patch, "--subresource=status")
    lines = (await server.kubectl("get", "wd")).splitlines()
    assert lines[0].split() == ["NAME", "COLOR", "READY"]
    assert lines[1].split() == ["a", "red", "True"]
    red = await server.kubectl("get", "wd", "--field-selector=spec.color=red", "-o", "name")
    blue = await server.kubectl("get", "wd", "--field-selector=spec.color=blue", "-o", "name")
    assert (red, blue) == ("widget.example.com/a\n", "")
    other = await server.kubectl("get", "widgets.v1beta1.example.com", "a", "-o", "json")
    assert json.loads(other)["apiVersion"] == "example.com/v1beta1"
    assert json.loads(other)["spec"]["replicas"] == 3


async def test_two_appliers_share_a_list_by_its_keys(server: RunningApiServer) -> None:
    await server.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(definition()))
    for manager, port in (("x", 1), ("y", 2)):
        manifest = yaml.safe_dump(widget("a", ports=[{"port": port}]))
        how = ("apply", "--server-side", f"--field-manager={manager}", "-f", "-")
        await server.kubectl(*how, stdin=manifest)
    ports = await server.kubectl("get", "wd", "a", "-o", "jsonpath={.spec.ports[*].port}")
    assert ports == "1 2"


async def test_they_outlive_a_restart_and_go_with_their_definition(tmp_path: Path) -> None:
    async with running_api_server(tmp_path) as server, Client(server.client_config()) as client:
        await client.create(DEFINITIONS, definition())
        held = widget("a")
        held["metadata"]["finalizers"] = ["example.com/hold"]
        await post(client, held)
    async with running_api_server(tmp_path) as server, Client(server.client_config()) as client:
        name = "widgets.example.com"
        assert (await client.request("GET", f"{WIDGETS}/a"))["spec"]["color"] == "red"
        await client.delete(DEFINITIONS, name)
        with pytest.raises(ApiError, match="terminating"):
            await post(client, widget("b"))
        # Held by its object, as that is by its own finalizer.
        assert "deletionTimestamp" in (await client.get(DEFINITIONS, name))["metadata"]
        nobody = '{"metadata":{"finalizers":null}}'
        await server.kubectl("wait", "--for=jsonpath={.metadata.deletionTimestamp}", "wd/a")
        await server.kubectl("patch", "wd", "a", "--type=merge", "-p", nobody)
        await server.kubectl("wait", "--for=delete", f"crd/{name}", "--timeout=10s")
        with pytest.raises(NotFound):
            await client.request("GET", f"{WIDGETS}/a")


async def test_who_uses_a_deprecated_version_is_warned(server: RunningApiServer) -> None:
    crd = definition()
    crd["spec"]["versions"][0] |= {"deprecated": True}
    await server.kubectl("create", "-f", "-", stdin=yaml.safe_dump(crd))
    _, _, errors = await server.try_kubectl("get", "widgets.v1beta1.example.com")
    assert "Warning: example.com/v1beta1 Widget is deprecated" in errors
    _, _, errors = await server.try_kubectl("get", "widgets.v1.example.com")
    assert "deprecated" not in errors


async def test_rules_of_the_schema_are_held_by_every_kind_of_write(
    server: RunningApiServer,
) -> None:
    crd = definition()
    rules = [
        {"rule": "!has(self.size) || self.replicas > 1", "message": "a size needs replicas"},
        {"rule": "self.color == oldSelf.color", "messageExpression": "'stays ' + oldSelf.color"},
    ]
    spec = {**SPEC, "x-kubernetes-validations": rules}
    schema = {**SCHEMA, "properties": {**SCHEMA["properties"], "spec": spec}}
    crd["spec"]["versions"][1]["schema"] = {"openAPIV3Schema": schema}
    await server.kubectl("create", "-f", "-", stdin=yaml.safe_dump(crd))
    _, _, errors = await server.try_kubectl(
        "create", "-f", "-", stdin=yaml.safe_dump(widget("a", size=1))
    )
    said = 'The Widget "a" is invalid: spec: Invalid value: "object": a size needs replicas'
    assert said in errors
    await server.kubectl("create", "-f", "-", stdin=yaml.safe_dump(widget("a")))
    blue = '{"spec": {"color": "blue"}}'
    _, _, errors = await server.try_kubectl("patch", "wd", "a", "--type=merge", "-p", blue)
    assert 'spec: Invalid value: "object": stays red' in errors
    applied = yaml.safe_dump(widget("a", size=1))
    apply = ("apply", "--server-side", "--force-conflicts", "-f", "-")
    assert "a size needs replicas" in (await server.try_kubectl(*apply, stdin=applied))[2]


async def test_a_rule_that_means_nothing_makes_the_definition_invalid(
    server: RunningApiServer,
) -> None:
    crd = definition()
    ruled = {**SCHEMA, "x-kubernetes-validations": [{"rule": "self.spec.colour == 'red'"}]}
    crd["spec"]["versions"][1]["schema"] = {"openAPIV3Schema": ruled}
    code, _, errors = await server.try_kubectl("create", "-f", "-", stdin=yaml.safe_dump(crd))
    assert code == 1
    assert "openAPIV3Schema.x-kubernetes-validations[0].rule: Invalid value" in errors
    assert "compilation failed: ERROR: <input>:1:11: " in errors


async def test_watches_end_when_their_definition_goes(
    server: RunningApiServer, client: Client
) -> None:
    await client.create(DEFINITIONS, definition())
    await post(client, widget("a"))
    tls = server.client_config().ssl_context()
    async with (
        asyncio.timeout(10),
        aiohttp.ClientSession() as session,
        session.get(f"{server.url}{WIDGETS}?watch=true", ssl=tls) as answer,
    ):
        assert json.loads(await answer.content.readline())["type"] == "ADDED"
        await client.delete(DEFINITIONS, "widgets.example.com")
        rest = [json.loads(line) async for line in answer.content]
    assert rest[-1]["type"] == "DELETED"
    with pytest.raises(NotFound):
        await client.request("GET", WIDGETS)


def named(plural: str, group: str, kind: str) -> Object:
    made = definition()
    made["metadata"]["name"] = f"{plural}.{group}"
    names = {"plural": plural, "singular": plural, "kind": kind, "listKind": f"{kind}List"}
    made["spec"] = {**made["spec"], "group": group, "names": names}
    return made


async def test_a_change_of_one_definition_looks_at_no_other(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        await client.create(DEFINITIONS, named(f"t{number}s", f"g{number}.example.org", "T"))
    seen: list[str] = []
    looked = asyncio.Event()

    def settle(looked_at: Object, others: list[Object]) -> None:
        seen.append(looked_at["metadata"]["name"])
        looked.set()
        seen.extend(other["metadata"]["name"] for other in others)
        original(looked_at, others)

    original = installing.settle
    monkeypatch.setattr(installing, "settle", settle)
    await client.create(DEFINITIONS, named("last", "last.example.org", "Last"))
    await asyncio.wait_for(looked.wait(), 10)
    assert set(seen) == {"last.last.example.org"}


async def test_a_name_that_comes_free_is_given_to_who_waits_for_it(client: Client) -> None:
    await client.create(DEFINITIONS, named("firsts", "example.org", "Same"))
    second = await client.create(DEFINITIONS, named("seconds", "example.org", "Same"))
    assert is_established(second) is False
    version = second["metadata"]["resourceVersion"]
    await client.delete(DEFINITIONS, "firsts.example.org")
    async with asyncio.timeout(10):
        async for _, seen in client.watch(DEFINITIONS, resource_version=version):
            if seen["metadata"]["name"] == "seconds.example.org" and is_established(seen):
                return


async def test_a_document_that_did_not_change_is_not_sent_again(
    server: RunningApiServer, client: Client
) -> None:
    tls = server.client_config().ssl_context()
    apis = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
    asked = [("/openapi/v2", {}), ("/openapi/v3/apis/apps/v1", {}), ("/apis", apis)]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls)) as session:
        for path, headers in asked:
            async with session.get(server.url + path, headers=headers) as first:
                assert first.status == 200
                known = {**headers, "If-None-Match": first.headers["ETag"]}
            async with session.get(server.url + path, headers=known) as second:
                assert (second.status, await second.read()) == (304, b"")
            await client.create(
                DEFINITIONS, named(f"n{len(path)}", f"n{len(path)}.example.org", "New")
            )
            async with session.get(server.url + path, headers=known) as third:
                assert third.status == (304 if path.endswith("apps/v1") else 200)


async def test_a_definition_that_exists_is_applied_and_annotated_again(
    server: RunningApiServer,
) -> None:
    crd = definition()
    await server.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(crd))
    crd["metadata"]["labels"] = {"version": "2"}
    crd["spec"]["names"]["categories"] = ["all", "things"]
    said = await server.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(crd))
    assert "configured" in said
    await server.kubectl("annotate", "crd", "widgets.example.com", "a=b")
    await server.kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump(crd))


async def test_a_finalizer_without_a_path_is_taken_with_a_warning(
    server: RunningApiServer,
) -> None:
    await server.kubectl("create", "-f", "-", stdin=yaml.safe_dump(definition()))
    obj = widget("a")
    obj["metadata"]["finalizers"] = ["resources-finalizer.example.com"]
    _, _, said = await server.try_kubectl("create", "-f", "-", stdin=yaml.safe_dump(obj))
    assert said == (
        'Warning: metadata.finalizers: "resources-finalizer.example.com": prefer a '
        "domain-qualified finalizer name including a path (/) to avoid accidental conflicts with "
        "other finalizer writers\n"
    )
    _, _, said = await server.try_kubectl("annotate", "wd", "a", "x=y")
    assert said == ""
    config_map = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": dict(obj["metadata"])}
    code, _, said = await server.try_kubectl("create", "-f", "-", stdin=yaml.safe_dump(config_map))
    assert code != 0
    assert "nor is it fully qualified" in said


async def test_an_update_says_which_version_it_is_meant_for(client: Client) -> None:
    await client.create(DEFINITIONS, definition())
    made = await post(client, widget("a"))
    for version in ("", "0"):
        blind = widget("a", color="blue")
        blind["metadata"]["resourceVersion"] = version
        with pytest.raises(Invalid, match="Invalid value: 0: must be specified for an update"):
            await client.request("PUT", f"{WIDGETS}/a", body=blind)
    blind["metadata"]["resourceVersion"] = made["metadata"]["resourceVersion"]
    put = await client.request("PUT", f"{WIDGETS}/a", body=blind)
    assert put["spec"]["color"] == "blue"
    with pytest.raises(Invalid, match="must be specified for an update"):
        await client.update(DEFINITIONS, definition())


def odd_field() -> Object:
    """A field whose parts are what kubectl's reader of OpenAPI v2 has trouble with."""
    anything = "x-kubernetes-preserve-unknown-fields"
    text = {"type": "string"}
    return {
        "type": "object",
        "required": ["nothing"],
        "properties": {
            "list": {"type": "array", "items": text, anything: True},
            "lists": {"type": "array", "items": {"type": "array", "items": {anything: True}}},
            "map": {"type": "object", "properties": {"a": text}, anything: True},
            "nothing": {"type": "string", "nullable": True},
            "nullable": {"type": "object", "nullable": True, "properties": {"a": text}},
            "either": {"x-kubernetes-int-or-string": True},
            "open": {"type": "object", "description": "Words.", "additionalProperties": True},
            "embedded": {"type": "object", "x-kubernetes-embedded-resource": True, anything: True},
        },
    }


@pytest.mark.parametrize("binary", KUBECTLS)
async def test_kubectl_takes_a_list_whatever_schemas_are_installed(
    server: RunningApiServer, client: Client, binary: str
) -> None:
    odd = definition("odds", "Odd")
    odd["spec"]["names"]["shortNames"] = []
    version = odd["spec"]["versions"][1]
    version["selectableFields"] = []
    version["schema"] = {"openAPIV3Schema": {"type": "object", "properties": {"spec": odd_field()}}}
    await client.create(DEFINITIONS, odd)
    spec = {
        "list": ["a"],
        "lists": [[1, "a"]],
        "map": {"b": 2},
        "nothing": "x",
        "nullable": {"a": "x"},
        "either": "80%",
        "open": {"a": 1},
        "embedded": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {}},
    }
    for served in ("v1", "v1beta1"):
        obj = {
            "apiVersion": f"example.com/{served}",
            "kind": "Odd",
            "metadata": {"name": served, "namespace": "default"},
            "spec": spec,
        }
        listed = {"apiVersion": "v1", "kind": "List", "items": [obj]}
        told = await server.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(listed), binary=binary)
        assert f"odd.example.com/{served} created" in told
    assert "Words." in await server.kubectl("explain", "odds.spec.open", binary=binary)


async def test_a_scale_of_what_is_no_number_is_refused(client: Client) -> None:
    await client.create(DEFINITIONS, definition())
    await post(client, widget("a"))
    for wrong in ("many", [1], {"a": 1}, True):
        status = {"status": {"replicas": wrong}}
        await client.request(
            "PATCH", f"{WIDGETS}/a/status", body=status, content_type="application/merge-patch+json"
        )
        with pytest.raises(ApiError) as refused:
            await client.request("GET", f"{WIDGETS}/a/scale")
        assert refused.value.code == 400
        assert ".status.replicas accessor error" in str(refused.value)

"""What a server tells about its requests: metrics, the audit log, warnings, compression."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from pilotfish.apiserver import access
from pilotfish.apiserver.audit import AuditLog
from pilotfish.client.api import Client
from pilotfish.client.errors import ApiError
from pilotfish.client.log_fields import fields_of
from pilotfish.objects.meta import Object
from support.apiserver import RunningApiServer, running_api_server
from support.objects import config_map


async def fetch(
    server: RunningApiServer, path: str, encoding: str = "identity"
) -> tuple[aiohttp.ClientResponse, bytes]:
    """A GET as administrator, its body as it came."""
    tls = server.client_config().ssl_context()
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.get(server.url + path, ssl=tls, headers={"Accept-Encoding": encoding}) as response,
    ):
        return response, await response.read()


async def test_requests_are_counted_under_kubernetes_names(
    server: RunningApiServer, client: Client
) -> None:
    await client.create("configmaps", config_map("a"))
    await client.get("configmaps", "a", "default")
    text = await server.kubectl("get", "--raw", "/metrics")
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    what = 'group="",version="v1",resource="configmaps",subresource="",scope="resource",dry_run=""'
    for verb, code in (("POST", 201), ("GET", 200)):
        kind = f'component="apiserver",verb="{verb}",{what}'
        assert lines[f'apiserver_request_total{{code="{code}",{kind}}}'] == "1"
        name = "apiserver_request_duration_seconds"
        assert lines[f'{name}_bucket{{{kind},le="+Inf"}}'] == "1"
        assert lines[f"{name}_count{{{kind}}}"] == "1"
    stored = (await client.list("configmaps"))["items"]
    assert lines['apiserver_storage_objects{resource="configmaps"}'] == str(len(stored))
    assert lines['apiserver_current_inflight_requests{request_kind="readOnly"}'] == "1"
    assert float(lines["process_resident_memory_bytes"]) > 1e6
    assert int(lines["process_open_fds"]) > 3


async def test_each_request_leaves_its_trail(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    async with running_api_server(tmp_path, audit_log=log) as server:
        async with Client(server.client_config()) as client:
            await client.create("configmaps", config_map("a"))
        await server.try_kubectl("get", "secrets", "--as", "alice")
    events = [json.loads(line) for line in log.read_text().splitlines()]
    created = next(event for event in events if event["verb"] == "create")
    assert {key: created[key] for key in ("kind", "apiVersion", "level", "stage")} == {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "stage": "ResponseComplete",
    }
    assert created["user"]["username"] == "kubernetes-admin"
    assert created["objectRef"] == {
        "resource": "configmaps",
        "namespace": "default",
        "apiVersion": "v1",
    }
    assert created["responseStatus"]["code"] == 201
    denied = next(event for event in events if event["responseStatus"]["code"] == 403)
    assert denied["impersonatedUser"]["username"] == "alice"
    assert denied["annotations"]["authorization.k8s.io/decision"] == "forbid"
    assert log.stat().st_mode & 0o777 == 0o600


def test_the_audit_log_is_bounded(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.log", most_bytes=100, most_files=3)
    for number in range(50):
        log.write({"number": number, "padding": "x" * 20})
    log.close()
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["audit.log", "audit.log.1", "audit.log.2"]
    numbers = [
        json.loads(line)["number"]
        for name in reversed(files)
        for line in (tmp_path / name).read_text().splitlines()
    ]
    assert numbers == list(range(numbers[0], 50))
    assert all((tmp_path / name).stat().st_size <= 100 for name in files)


async def test_large_answers_are_compressed_for_who_asks(
    server: RunningApiServer, client: Client
) -> None:
    await client.create("configmaps", config_map("large", text="x" * 200_000))
    path = "/api/v1/namespaces/default/configmaps"
    plain, body = await fetch(server, path)
    assert "Content-Encoding" not in plain.headers and len(body) > 200_000
    packed, small = await fetch(server, path, "gzip")
    assert packed.headers["Content-Encoding"] == "gzip" and len(small) < 20_000
    assert packed.headers["Vary"] == "Accept-Encoding"
    little, _ = await fetch(server, "/api/v1/namespaces", "gzip")
    assert "Content-Encoding" not in little.headers
    assert (await server.kubectl("get", "configmaps", "large", "-o", "name")).startswith("config")


async def test_who_creates_a_quota_is_told_that_it_does_nothing(server: RunningApiServer) -> None:
    _, _, told = await server.try_kubectl("create", "quota", "q", "--hard=pods=1")
    assert told == "Warning: ResourceQuota is stored, but what it allows is not enforced here\n"


async def test_who_asks_for_pod_security_is_told_that_no_pod_is_refused(
    server: RunningApiServer,
) -> None:
    await server.kubectl("create", "namespace", "ps")
    label = "pod-security.kubernetes.io/enforce"
    _, _, told = await server.try_kubectl("label", "namespace", "ps", f"{label}=restricted")
    assert "Pod Security (enforce=restricted) is not enforced here" in told
    code, _, refused = await server.try_kubectl(
        "label", "--overwrite", "namespace", "ps", f"{label}=strict"
    )
    assert code == 1
    assert "must be one of privileged, baseline, restricted" in refused
    code, _, told = await server.try_kubectl("annotate", "namespace", "ps", "a=b")
    assert (code, told) == (0, "")


async def test_a_token_file_names_users(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.csv"
    tokens.write_text('secret,alice,u-1,"developers,system:masters"\nother,bob,u-2\n')
    async with running_api_server(tmp_path, token_file=tokens) as server:
        config = replace(server.client_config(), cert=None, key=None, token="secret")
        review: Object = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        async with Client(config) as client:
            answer = await client.create("selfsubjectreviews.authentication.k8s.io", review)
            assert answer["status"]["userInfo"] == {
                "username": "alice",
                "uid": "u-1",
                "groups": ["developers", "system:masters", "system:authenticated"],
            }
            await client.list("secrets")


ACCESS = "pilotfish.apiserver.access"


async def test_only_slow_requests_are_logged_and_no_secret_is(
    server: RunningApiServer,
    client: Client,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    await client.get("namespaces", "default")
    assert not [record for record in caplog.records if record.name == ACCESS]
    monkeypatch.setattr(access, "_SLOW_S", 1e-9)
    # Whoever watches is no slow request.
    await server.kubectl("get", "--raw", "/api/v1/namespaces?watch=true&timeoutSeconds=1")
    lines = [fields_of(record) for record in caplog.records if record.name == ACCESS]
    assert "watch" not in {line["verb"] for line in lines}
    await server.kubectl("create", "serviceaccount", "default")
    token = (await server.kubectl("create", "token", "default")).strip()
    caplog.clear()
    config = replace(server.client_config(), cert=None, key=None, token=token)
    async with Client(config, user_agent="curious/1") as account:
        with pytest.raises(ApiError):
            await account.get("secrets", "hidden", "default")
    (record,) = (record for record in caplog.records if record.name == ACCESS)
    line = dict(fields_of(record))
    assert line.pop("latency").endswith("s")
    assert line == {
        "verb": "get",
        "path": "/api/v1/namespaces/default/secrets/hidden",
        "namespace": "default",
        "resp": 403,
        "user": "system:serviceaccount:default:default",
        "userAgent": "curious/1",
        "srcIP": "127.0.0.1",
    }
    assert all(
        token not in record.getMessage() + str(fields_of(record)) for record in caplog.records
    )


async def test_a_failure_is_logged_without_what_was_asked_in_the_query(
    client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pilotfish.apiserver.dispatch.get", lambda *_: 1 / 0)
    with pytest.raises(ApiError):
        path = "/api/v1/namespaces/default?command=secret-word"
        await client.request("GET", path)
    (record,) = (record for record in caplog.records if record.name == ACCESS)
    assert record.levelname == "ERROR"
    assert fields_of(record)["resp"] == 500
    assert fields_of(record)["path"] == "/api/v1/namespaces/default"
    assert "secret-word" not in caplog.text

"""The proxy subresource of Pods, Services and Nodes, and requests that cannot be passed on."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from pilotfish.client.api import Client
from support.apiserver import RunningApiServer, free_port, running_api_server
from support.local_runtime import LocalRuntime, make_pod, streaming_node

# An endpoint may not be a loopback address, so the web server gets another one on loopback.
POD_IP = "198.51.100.77"


@pytest.fixture(scope="module", autouse=True)
def pod_address() -> Iterator[None]:
    subprocess.run(["ip", "address", "replace", f"{POD_IP}/32", "dev", "lo"], check=True)
    yield
    subprocess.run(["ip", "address", "del", f"{POD_IP}/32", "dev", "lo"], check=True)


@dataclass
class Proxied:
    """A client of the API server's, and the port where the Pod's web server listens."""

    server: RunningApiServer
    session: aiohttp.ClientSession
    port: int

    def path(self, resource: str, name: str, rest: str = "/") -> str:
        return f"{self.server.url}/api/v1/namespaces/default/{resource}/{name}/proxy{rest}"


async def describe(request: web.Request) -> web.Response:
    body = await request.read()
    return web.json_response(
        {
            "method": request.method,
            "path": request.raw_path,
            "body": body.decode(),
            "length": len(body),
            "authorization": request.headers.get("Authorization"),
        },
        headers={"X-From": "the Pod"},
    )


async def redirect(_: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": "/elsewhere?a=1"})


async def compressed(_: web.Request) -> web.Response:
    body = gzip.compress(b"text " * 1000)
    return web.Response(body=body, headers={"Content-Encoding": "gzip"})


async def empty(_: web.Request) -> web.Response:
    return web.Response(status=204)


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    request.app[READING].set()
    try:
        while True:
            await response.write(b"x" * 65536)
    finally:
        request.app[STOPPED].set()


async def echo(request: web.Request) -> web.WebSocketResponse:
    websocket = web.WebSocketResponse()
    await websocket.prepare(request)
    async for message in websocket:
        if message.type == WSMsgType.TEXT:
            await websocket.send_str(message.data.upper())
    return websocket


READING = web.AppKey("reading", asyncio.Event)
STOPPED = web.AppKey("stopped", asyncio.Event)


@asynccontextmanager
async def web_server(port: int) -> AsyncIterator[web.Application]:
    app = web.Application(client_max_size=1 << 24)
    app[READING], app[STOPPED] = asyncio.Event(), asyncio.Event()
    app.router.add_get("/redirect", redirect)
    app.router.add_get("/endless", endless)
    app.router.add_get("/echo", echo)
    app.router.add_get("/compressed", compressed)
    app.router.add_get("/empty", empty)
    app.router.add_route("*", "/{rest:.*}", describe)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, POD_IP, port).start()
    try:
        yield app
    finally:
        await runner.cleanup()


@pytest.fixture
async def proxied(tmp_path: Path) -> AsyncIterator[Proxied]:
    """Pod web and Service web, whose port `http` is the Pod's."""
    port = free_port()
    async with running_api_server(tmp_path) as server:
        runtime = LocalRuntime(pod_ip=POD_IP)
        pod = make_pod("web", "app")
        pod["spec"]["containers"][0]["ports"] = [{"containerPort": port}]
        runtime.add_pod(pod)
        async with (
            streaming_node(server, "node-1", runtime),
            Client(server.client_config()) as client,
        ):
            await client.create("services", service("web", port))
            await client.create("endpointslices.discovery.k8s.io", endpoint_slice("web", port))
            config = server.client_config()
            tls = ssl.create_default_context(cafile=str(config.ca))
            tls.load_cert_chain(str(config.cert), str(config.key))
            async with aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=tls),
                timeout=aiohttp.ClientTimeout(total=20),
            ) as session:
                yield Proxied(server, session, port)


def service(name: str, port: int) -> dict[str, object]:
    ports = [{"name": "http", "port": 80, "targetPort": port}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"ports": ports, "selector": {"app": name}},
    }


def endpoint_slice(name: str, port: int) -> dict[str, object]:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{name}-1",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": name},
        },
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
        "endpoints": [{"addresses": [POD_IP], "conditions": {"ready": True}}],
    }


@pytest.mark.parametrize(
    ("resource", "name"), [("pods", "web"), ("services", "web:http"), ("services", "web:80")]
)
async def test_a_request_arrives_as_it_was_sent(proxied: Proxied, resource: str, name: str) -> None:
    url = proxied.path(resource, name, "/a%2Fb?q=1%202")
    async with (
        web_server(proxied.port),
        proxied.session.put(url, data=b"x" * 5_000_000) as answer,
    ):
        assert answer.status == 200
        assert answer.headers["X-From"] == "the Pod"
        described = await answer.json()
    assert described["method"] == "PUT"
    assert described["path"] == "/a%2Fb?q=1%202"
    assert described["length"] == 5_000_000
    assert described["authorization"] is None


async def test_a_head_request_learns_the_length_and_gets_no_body(proxied: Proxied) -> None:
    async with (
        web_server(proxied.port),
        proxied.session.head(proxied.path("pods", "web", "/a")) as answer,
    ):
        assert answer.status == 200
        assert int(answer.headers["Content-Length"]) > 0
        assert await answer.read() == b""


async def test_a_body_that_waits_to_be_asked_for_arrives(proxied: Proxied) -> None:
    url = proxied.path("pods", "web", "/a")
    async with web_server(proxied.port):
        config = proxied.server.client_config()
        command = [
            "curl",
            "-sS",
            "--max-time",
            "15",
            "-H",
            "Expect: 100-continue",
            "-d",
            "x" * 1000,
        ]
        credentials = ["--cacert", str(config.ca), "--cert", str(config.cert)]
        process = await asyncio.create_subprocess_exec(
            *command, *credentials, "--key", str(config.key), url, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
    assert json.loads(output)["length"] == 1000


async def test_compressed_and_empty_answers_pass_unchanged(proxied: Proxied) -> None:
    async with web_server(proxied.port):
        async with proxied.session.get(proxied.path("pods", "web", "/compressed")) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            assert await answer.text() == "text " * 1000
        async with proxied.session.get(proxied.path("pods", "web", "/empty")) as answer:
            assert (answer.status, await answer.read()) == (204, b"")


async def test_a_proxy_path_without_slash_gets_one(proxied: Proxied) -> None:
    url = proxied.path("services", "web:http", "?a=b")
    async with proxied.session.get(url, allow_redirects=False) as answer:
        assert answer.status == 301
        assert answer.headers["Location"].endswith("/services/web:http/proxy/?a=b")


async def test_redirects_of_the_backend_stay_inside_the_proxy(proxied: Proxied) -> None:
    url = proxied.path("pods", "web", "/redirect")
    async with (
        web_server(proxied.port),
        proxied.session.get(url, allow_redirects=False) as answer,
    ):
        assert answer.status == 302
        assert answer.headers["Location"] == (
            "/api/v1/namespaces/default/pods/web/proxy/elsewhere?a=1"
        )


async def test_a_client_that_leaves_ends_the_backends_answer(proxied: Proxied) -> None:
    async with web_server(proxied.port) as app:
        answer = await proxied.session.get(proxied.path("pods", "web", "/endless"))
        assert await answer.content.readexactly(1_000_000) == b"x" * 1_000_000
        answer.close()
        async with asyncio.timeout(20):
            await app[STOPPED].wait()


async def test_websockets_pass_through(proxied: Proxied) -> None:
    async with (
        web_server(proxied.port),
        proxied.session.ws_connect(proxied.path("services", "web:http", "/echo")) as websocket,
    ):
        for text in ("one", "two", "x" * 300_000):
            await websocket.send_str(text)
            assert await websocket.receive_str(timeout=20) == text.upper()


async def test_the_kubelet_answers_for_its_node(proxied: Proxied) -> None:
    url = f"{proxied.server.url}/api/v1/nodes/node-1/proxy/healthz"
    async with proxied.session.get(url) as answer:
        assert (answer.status, await answer.text()) == (200, "ok")
    async with proxied.session.get(url.replace("healthz", "pods")) as answer:
        pods = await answer.json(content_type=None)
        assert [pod["metadata"]["name"] for pod in pods["items"]] == ["web"]


async def test_who_may_only_read_of_a_kubelet_runs_nothing_by_it(proxied: Proxied) -> None:
    async with Client(proxied.server.client_config()) as client:
        await grant(client, "reader", {"resources": ["nodes/proxy"], "verbs": ["get"]})
        await grant(client, "runner", {"resources": ["nodes/proxy"], "verbs": ["get", "create"]})
    node = f"{proxied.server.url}/api/v1/nodes/node-1/proxy"
    async with proxied.session.get(f"{node}/pods", headers=acting("reader")) as answer:
        assert answer.status == 200
    url = f"{node}/exec/default/web/app?command=echo&command=hello&output=1"
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await proxied.session.ws_connect(url, headers=acting("reader"))
    assert caught.value.status == 403
    channels = ("v4.channel.k8s.io",)
    async with proxied.session.ws_connect(
        url, headers=acting("runner"), protocols=channels
    ) as websocket:
        said = [message.data async for message in websocket]
    assert b"\x01hello\n" in said


async def test_the_right_to_read_of_a_kubelet_is_none_to_view_traffic(proxied: Proxied) -> None:
    async with Client(proxied.server.client_config()) as client:
        await grant(client, "reader", {"resources": ["nodes/proxy"], "verbs": ["*"]})
        entries = {"apiGroups": ["tap.pilotfish.dev"], "resources": ["entries"], "verbs": ["watch"]}
        await grant(client, "viewer", entries)
    url = f"{proxied.server.url}/api/v1/nodes/https:node-1:10251/proxy/v1/entries"
    async with proxied.session.get(url, headers=acting("reader")) as answer:
        status = await answer.json()
    assert (answer.status, status["message"]) == (
        403,
        'entries.tap.pilotfish.dev is forbidden: User "reader" cannot watch resource "entries" '
        'in API group "tap.pilotfish.dev" at the cluster scope',
    )
    # Nobody listens there: who may look learns that.
    async with proxied.session.get(url, headers=acting("viewer")) as answer:
        assert answer.status == 503
    async with proxied.session.get(f"{url}?redact=false", headers=acting("viewer")) as answer:
        assert (answer.status, (await answer.json())["details"]["kind"]) == (403, "packets")
    pods = f"{proxied.server.url}/api/v1/nodes/node-1/proxy/pods"
    async with proxied.session.get(pods, headers=acting("viewer")) as answer:
        assert answer.status == 403


async def grant(client: Client, user: str, rule: dict[str, list[str]]) -> None:
    """Give a user a ClusterRole with one rule."""
    group = "rbac.authorization.k8s.io"
    rules = [{"apiGroups": [""], **rule}]
    meta = {"name": user}
    await client.create(f"clusterroles.{group}", {"metadata": meta, "rules": rules})
    role = {"apiGroup": group, "kind": "ClusterRole", "name": user}
    subject = {"apiGroup": group, "kind": "User", "name": user}
    binding = {"metadata": meta, "roleRef": role, "subjects": [subject]}
    await client.create(f"clusterrolebindings.{group}", binding)


def acting(user: str) -> dict[str, str]:
    return {"Impersonate-User": user}


@pytest.mark.parametrize(
    ("name", "code", "complaint"),
    [
        ("web:http", 503, "error trying to reach service: dial tcp 198.51.100.77"),
        ("web:8", 503, 'no service port 8 found for service "web"'),
        ("kubernetes:no", 503, 'no endpoints available for service "kubernetes"'),
        ("nobody", 404, 'services "nobody" not found'),
        ("ftp:web:80", 400, "invalid service request"),
    ],
)
async def test_a_service_that_cannot_answer_says_why(
    proxied: Proxied, name: str, code: int, complaint: str
) -> None:
    async with proxied.session.get(proxied.path("services", name)) as answer:
        status = await answer.json()
    assert (answer.status, status["kind"], status["code"]) == (code, "Status", code)
    assert complaint in status["message"]


@pytest.mark.parametrize("subresource", ["exec?command=true&stdout=true", "log"])
async def test_a_kubelet_that_does_not_answer_is_an_error(tmp_path: Path, subresource: str) -> None:
    async with running_api_server(tmp_path) as server:
        runtime = LocalRuntime()
        runtime.add_pod(make_pod("web", "app"))
        async with streaming_node(server, "node-1", runtime):
            pass
        path = f"/api/v1/namespaces/default/pods/web/{subresource}"
        if subresource == "log":
            code, _, errors = await server.try_kubectl("get", "--raw", path)
        else:
            code, _, errors = await server.try_kubectl("exec", "web", "--", "true")
    assert code == 1
    assert "dial tcp 127.0.0.1" in errors


async def test_a_pod_without_node_has_an_empty_log_and_no_exec(tmp_path: Path) -> None:
    async with running_api_server(tmp_path) as server:
        async with Client(server.client_config()) as client:
            pod = make_pod("web", "app")
            del pod["spec"]["nodeName"]
            await client.create("pods", pod)
        assert await server.kubectl("logs", "web") == ""
        code, _, errors = await server.try_kubectl("exec", "web", "--", "true")
    assert code == 1
    assert "pod web does not have a host assigned" in errors

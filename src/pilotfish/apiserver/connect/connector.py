"""The entrance for requests that the API server passes on to a kubelet, a Pod or a Node."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence

from aiohttp import web
from yarl import URL

from pilotfish.apiserver.config import ApiServerConfig
from pilotfish.apiserver.connect import backends, relay
from pilotfish.apiserver.connect.backends import Backend
from pilotfish.apiserver.connect.kubelet import (
    KubeletAddress,
    kubelet_address,
    kubelet_target,
    node_of,
)
from pilotfish.apiserver.connect.locations import proxy_prefix, rewrite_location, target_path
from pilotfish.apiserver.connect.relay import Unreachable
from pilotfish.apiserver.connect.tunnel import Upstream, tunnel
from pilotfish.apiserver.connect.upgrade_head import wants_upgrade
from pilotfish.apiserver.errors import StatusError, bad_request, internal, not_found
from pilotfish.apiserver.messages import send_bytes, wants_messages
from pilotfish.apiserver.registry import Registry
from pilotfish.apiserver.selection import Selection
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import resource

_SERVICE_NAME = "kubernetes.io/service-name"
# The most that one message of a log holds.
_LOG_BYTES = 64 * 1024
# How much of a kubelet's refusal goes on to the client.
_MAX_REFUSAL_BYTES = 10_000


class Connector:
    """Finds where such a request goes and lets the bytes through.

    Until `handle` is called nobody may have read the request's body.
    """

    def __init__(self, config: ApiServerConfig, registry: Registry) -> None:
        self._config = config
        self._registry = registry
        self._kubelet_tls: ssl.SSLContext | None = None
        self._pod_tls: ssl.SSLContext | None = None

    async def handle(
        self,
        request: web.BaseRequest,
        resource_name: str,
        namespace: str,
        name: str,
        subresource: str,
    ) -> web.StreamResponse:
        """Answers one request for attach, exec, log, portforward or proxy.

        Args:
            resource_name: pods, services or nodes.
            name: as in the path; for `proxy` it may hold a scheme and a port.

        Raises:
            StatusError: what kube-apiserver says when it cannot pass the request on.
        """
        if subresource == "proxy":
            return await self._proxy(request, resource_name, namespace, name)
        pod = self._get("pods", namespace, name)
        if subresource == "log":
            return await self._log(request, pod)
        return await self._stream(request, pod, subresource)

    async def _log(self, request: web.BaseRequest, pod: Object) -> web.StreamResponse:
        target = kubelet_target(pod, "log", _query(request))
        if not pod["spec"].get("nodeName"):
            # Nothing has run, so nothing was said: kube-apiserver answers with an empty log.
            return web.Response(content_type="text/plain")
        url = _url("https", self._kubelet_of(pod), target)
        try:
            async with relay.get(url, self._kubelet_credentials()) as answer:
                if 200 <= answer.status <= 206 and wants_messages(request.headers):
                    return await send_bytes(request, answer.content.iter_chunked(_LOG_BYTES))
                if 200 <= answer.status <= 206:
                    return await relay.stream_down(request, answer)
                text = (await answer.content.read(_MAX_REFUSAL_BYTES)).decode(errors="replace")
        except Unreachable as error:
            raise StatusError(500, "InternalError", f'Get "{url}": {error}') from error
        raise _refusal(answer.status, text.strip())

    async def _stream(
        self, request: web.BaseRequest, pod: Object, subresource: str
    ) -> web.StreamResponse:
        target = kubelet_target(pod, subresource, _query(request))
        if not wants_upgrade(request.headers):
            raise bad_request("Upgrade request required")
        node = self._kubelet_of(pod)
        authority = f"{node.host}:{node.port}"
        return await tunnel(
            request,
            Upstream(node.host, node.port, target, authority, self._kubelet_credentials()),
        )

    async def _proxy(
        self, request: web.BaseRequest, resource_name: str, namespace: str, name: str
    ) -> web.StreamResponse:
        backend = self._backend(resource_name, namespace, name)
        raw_path = request.rel_url.raw_path
        path = target_path(raw_path, namespaced=bool(namespace))
        upgrade = wants_upgrade(request.headers)
        if not path and not upgrade and request.method in ("GET", "HEAD"):
            # Relative links of the backend's pages need the slash.
            query = request.rel_url.raw_query_string
            location = f"{raw_path}/?{query}" if query else f"{raw_path}/"
            return web.Response(status=301, headers={"Location": location})
        tls = self._backend_tls(backend)
        url = URL.build(
            scheme=backend.scheme,
            authority=backend.authority,
            path=path or "/",
            query_string=request.rel_url.raw_query_string,
            encoded=True,
        )
        if upgrade:
            target = url.raw_path_qs
            return await tunnel(
                request, Upstream(backend.host, backend.port, target, request.host, tls)
            )
        prefix = proxy_prefix(raw_path, namespaced=bool(namespace))
        try:
            return await relay.pass_on(
                request,
                url,
                tls,
                lambda text: rewrite_location(text, prefix, backend.authority, request.host),
            )
        except Unreachable as error:
            raise backends.unavailable(f"error trying to reach service: {error}") from error

    def _backend(self, resource_name: str, namespace: str, name: str) -> Backend:
        asked = backends.parse_proxy_name(name, resource_name.removesuffix("s"))
        found = self._get(resource_name, namespace, asked.name)
        if resource_name == "pods":
            return backends.pod_backend(found, asked, self._node_of(found))
        if resource_name == "services":
            return backends.service_backend(found, self._slices(namespace, asked.name), asked)
        return backends.node_backend(kubelet_address(found), asked)

    def _node_of(self, pod: Object) -> Object | None:
        name = pod["spec"].get("nodeName", "")
        entry = self._registry.latest("nodes", name) if name else None
        return entry.decode() if entry is not None else None

    def _slices(self, namespace: str, service: str) -> list[Object]:
        collection = self._registry.collection("endpointslices.discovery.k8s.io")
        return [
            entry.decode()
            for entry in collection.select(Selection(namespace=namespace))
            if entry.labels.get(_SERVICE_NAME) == service
        ]

    def _get(self, resource_name: str, namespace: str, name: str) -> Object:
        key = f"{namespace}/{name}" if namespace else name
        entry = self._registry.latest(resource_name, key)
        if entry is None:
            raise not_found(resource(resource_name), name)
        return entry.decode()

    def _kubelet_of(self, pod: Object) -> KubeletAddress:
        return kubelet_address(self._get("nodes", "", node_of(pod)))

    def _kubelet_credentials(self) -> ssl.SSLContext:
        if self._kubelet_tls is None:
            config = self._config
            if config.kubelet_client_cert_file is None or config.kubelet_client_key_file is None:
                raise internal("this API server has no client certificate for kubelets")
            context = ssl.create_default_context(cafile=str(config.client_ca_file))
            context.load_cert_chain(
                str(config.kubelet_client_cert_file), str(config.kubelet_client_key_file)
            )
            self._kubelet_tls = context
        return self._kubelet_tls

    def _backend_tls(self, backend: Backend) -> ssl.SSLContext | None:
        if backend.scheme != "https":
            return None
        if backend.kubelet:
            return self._kubelet_credentials()
        if self._pod_tls is None:
            # Pods bring certificates of their own making: kube-apiserver does not verify them.
            self._pod_tls = ssl.create_default_context()
            self._pod_tls.check_hostname = False
            self._pod_tls.verify_mode = ssl.CERT_NONE
        return self._pod_tls


def _query(request: web.BaseRequest) -> Mapping[str, Sequence[str]]:
    return {name: request.query.getall(name) for name in request.query}


def _url(scheme: str, address: KubeletAddress, target: str) -> URL:
    host = f"[{address.host}]" if ":" in address.host else address.host
    return URL(f"{scheme}://{host}:{address.port}{target}", encoded=True)


def _refusal(code: int, text: str) -> StatusError:
    """What a kubelet's refusal becomes, as kube-apiserver translates it."""
    if code == 400:
        return bad_request(text)
    if code == 404:
        missing = "the server could not find the requested resource"
        return StatusError(404, "NotFound", text or missing)
    if code == 500:
        return internal(text)
    return StatusError(code, "", text or f"the kubelet answered {code}")

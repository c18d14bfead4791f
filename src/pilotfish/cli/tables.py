"""`pilotfish tables`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from pilotfish.cli.output import NameOption, print_table

if TYPE_CHECKING:
    from pilotfish.cluster.state import ClusterState
    from pilotfish.network.node_link import NodeNetwork
    from pilotfish.objects.meta import Object
    from pilotfish.proxy.explain import NodeView, ServiceView

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def tables(
    service: Annotated[
        str, typer.Argument(help="The Service's name.", show_default="a line for each")
    ] = "",
    namespace: Annotated[
        str, typer.Option("-n", "--namespace", help="The Service's namespace.")
    ] = "default",
    node: Annotated[
        str, typer.Option(help="Whose kernel to read.", show_default="the first node")
    ] = "",
    name: NameOption = None,
) -> None:
    """Say in words what a node's kernel does with packets for a Service."""
    from pilotfish.cluster import choice, preflight, state
    from pilotfish.proxy.explain import explain

    preflight.check_root("read kernel tables")
    cluster = state.require(choice.choose(name))
    chosen = _node(cluster, node) if node else cluster.nodes[0]
    services, nodes = _answers(cluster)
    view = _node_view(cluster, chosen.name, nodes.get(chosen.name))
    if not service:
        _overview(services, view)
        return
    found = services.get(f"{namespace}/{service}")
    if found is None:
        raise _unknown_service(namespace, service)
    for line in explain(found, view):
        print(line)


def _node(cluster: ClusterState, name: str) -> NodeNetwork:
    from pilotfish.cluster.errors import EXIT_UNKNOWN, ClusterError

    try:
        return cluster.node(name)
    except KeyError:
        known = ", ".join(node.name for node in cluster.nodes)
        raise ClusterError(
            "no such node",
            f"{name!r} in cluster {cluster.name!r}",
            f"choose one of: {known}",
            EXIT_UNKNOWN,
        ) from None


def _answers(cluster: ClusterState) -> tuple[dict[str, ServiceView], dict[str, Object]]:
    """What the API server says; a ClusterError where it does not answer."""
    from pilotfish.client.errors import Unreachable
    from pilotfish.cluster.errors import ClusterError

    try:
        return asyncio.run(_objects(cluster))
    except Unreachable as error:
        raise ClusterError(
            "the API server does not answer",
            str(error),
            f"start what is dead: pilotfish up --name {cluster.name}",
        ) from error


def _unknown_service(namespace: str, service: str) -> Exception:
    from pilotfish.cluster.errors import EXIT_UNKNOWN, ClusterError

    return ClusterError(
        "no such Service",
        f"{service!r} in namespace {namespace!r}",
        "list them with: pilotfish tables",
        EXIT_UNKNOWN,
    )


def _overview(services: dict[str, ServiceView], view: NodeView) -> None:
    from pilotfish.proxy.explain import drift_of
    from pilotfish.proxy.fronts import Balance
    from pilotfish.proxy.services import is_proxied

    rows = []
    strays = set(view.installed)
    for key, found in sorted(services.items()):
        spec = found.service["spec"]
        fronts = found.fronts(view.facts)
        strays -= set(fronts)
        installed = [view.installed.get(front) for front in fronts]
        counts = {len(t.endpoints) for t in installed if isinstance(t, Balance)}
        drifted = len(drift_of(found, view))
        rows.append(
            [
                key,
                spec.get("clusterIP") or spec.get("externalName") or "",
                str(len(fronts)) if is_proxied(found.service) else "-",
                "/".join(str(count) for count in sorted(counts)) or "0",
                _fronts(drifted) if drifted else "none",
            ]
        )
    if strays:
        rows.append(["no Service's", "", str(len(strays)), "", _fronts(len(strays))])
    print(f"Kernel of {view.facts.name}")
    print_table(["SERVICE", "ADDRESS", "FRONTS", "ENDPOINTS", "DRIFT"], rows)


def _fronts(count: int) -> str:
    return "1 front" if count == 1 else f"{count} fronts"


async def _objects(cluster: ClusterState) -> tuple[dict[str, ServiceView], dict[str, Object]]:
    """Services with their slices by "namespace/name", and Nodes by name."""
    from pilotfish.cluster import pki
    from pilotfish.cluster.components import client_for
    from pilotfish.objects.meta import key_of, labels_of, name_of, namespace_of
    from pilotfish.proxy.explain import ServiceView
    from pilotfish.proxy.proxier import SERVICE_NAME

    async with client_for(cluster, pki.ADMIN, cluster.local_server) as client:
        services = (await client.list("services"))["items"]
        slices = (await client.list("endpointslices.discovery.k8s.io"))["items"]
        nodes = (await client.list("nodes"))["items"]
    by_service: dict[str, list[Object]] = {}
    for one in slices:
        owner = f"{namespace_of(one)}/{labels_of(one).get(SERVICE_NAME, '')}"
        by_service.setdefault(owner, []).append(one)
    views = {key_of(s): ServiceView(s, by_service.get(key_of(s), [])) for s in services}
    return views, {name_of(node): node for node in nodes}


def _node_view(cluster: ClusterState, name: str, node: Object | None) -> NodeView:
    """What the kernel of a node holds now."""
    from pilotfish.network import namespaces, naming
    from pilotfish.proxy import kernel_reader
    from pilotfish.proxy.explain import NodeView
    from pilotfish.proxy.nfnetlink import NetfilterSocket
    from pilotfish.proxy.services import node_facts

    with namespaces.inside(naming.node_namespace(cluster.name, name)):
        netfilter = NetfilterSocket()
    held = kernel_reader.read(netfilter)
    netfilter.close()
    return NodeView(node_facts(name, node), held.fronts, held.remembered)

"""`pilotfish kube-proxy`: this node's proxy alone, against any Kubernetes API server."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pilotfish.client.config import ClientConfig
    from pilotfish.proxy.proxier import ProxyConfig

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def kube_proxy(
    kubeconfig: Annotated[
        Path | None, typer.Option(help="Whom to ask.", show_default="as kubectl does")
    ] = None,
    context: Annotated[str, typer.Option(help="Its context.", show_default="the current one")] = "",
    node: Annotated[
        str, typer.Option(help="The Node object of this machine.", show_default="the host name")
    ] = "",
    service_cidr: Annotated[
        list[str] | None,
        typer.Option(help="Refuse addresses of this range that no Service has; repeatable."),
    ] = None,
    announce: Annotated[
        str, typer.Option(help="Answer for LoadBalancer addresses on this link.")
    ] = "",
    host_ports: Annotated[
        bool, typer.Option("--host-ports", help="Serve Pods' hostPorts, where the CNI does not.")
    ] = False,
) -> int:
    """Write this machine's Service tables, in place of kube-proxy, until terminated."""
    from pilotfish.client.config import ClientConfig, ConfigError
    from pilotfish.cluster import preflight
    from pilotfish.cluster.components import run_until_terminated
    from pilotfish.cluster.errors import ClusterError
    from pilotfish.proxy.family import family_of
    from pilotfish.proxy.proxier import ProxyConfig

    preflight.check_root("write kernel tables")
    ranges = tuple(service_cidr or ())
    for cidr in ranges:
        if family_of(cidr) is None:
            raise ClusterError("not an address range", repr(cidr), "write it as 10.96.0.0/12")
    try:
        client_config = ClientConfig.from_kubeconfig(kubeconfig, context)
    except ConfigError as error:
        raise ClusterError("no way to the API server", str(error), "see --kubeconfig") from error
    config = ProxyConfig(node or socket.gethostname().lower(), ranges, announce, host_ports)
    return run_until_terminated(_run(client_config, config))


async def _run(client_config: ClientConfig, config: ProxyConfig) -> None:
    from pilotfish.client.api import Client
    from pilotfish.proxy.proxier import Proxier

    async with Client(client_config, user_agent="pilotfish/kube-proxy") as client:
        await Proxier(client, config).run()

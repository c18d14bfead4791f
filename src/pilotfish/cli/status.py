"""`pilotfish status`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pilotfish.cli.output import OutputOption, duration, megabytes, print_json, print_table

if TYPE_CHECKING:
    from pilotfish.cluster.status import ClusterStatus, Ruin

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def status(
    name: Annotated[
        str | None, typer.Option("--name", help="The cluster's name.", show_default="all clusters")
    ] = None,
    output: OutputOption = "text",
) -> None:
    """Show nodes, processes, addresses and memory of the clusters."""
    from pilotfish.cluster import plan, preflight, remains
    from pilotfish.cluster.status import Ruin, as_json, look_at, ruin_as_json

    if name is not None:
        plan.check_name(name)
    preflight.check_root("look at clusters")
    chosen = remains.names() if name is None else [name]
    found = [look_at(one) for one in chosen]
    if output == "json":
        print_json([ruin_as_json(one) if isinstance(one, Ruin) else as_json(one) for one in found])
        return
    if not found:
        print("No clusters. Start one with: pilotfish up")
    for number, one in enumerate(found):
        if number:
            print()
        if isinstance(one, Ruin):
            _print_ruin(one)
        else:
            _print(one)


def _print_ruin(ruin: Ruin) -> None:
    print(
        f"Cluster   {ruin.name} (in ruins: its cluster.json is gone or damaged; remove the rest "
        f"with: pilotfish down --name {ruin.name})"
    )
    for part in ruin.parts:
        print(f"Left      {part}")


def _print(status: ClusterStatus) -> None:
    from pilotfish.cluster import kubeconfig
    from pilotfish.cluster.state import url_host
    from pilotfish.cluster.status import store_notices

    cluster = status.cluster
    state = "running" if status.running else "not running; start it with: pilotfish up"
    if not status.running:
        state += f" --name {cluster.name}"
    print(f"Cluster   {cluster.name} ({state})")
    files = ", ".join(cluster.kubeconfigs) or "no kubeconfig"
    print(f"Context   {kubeconfig.context_name(cluster.name)} in {files}")
    network = cluster.network
    inside = f"https://{url_host(cluster.api_service_address)}"
    print(f"API       {cluster.local_server}, in the cluster {inside}")
    if cluster.store:
        print(f"Store     {cluster.store}")
    notices = store_notices(cluster)
    for notice in notices:
        print(f"Warning   {notice}")
    if notices:
        print(f"          (shown until you delete {cluster.folders.store_notice})")
    for address, prefix in zip(network.host_addresses, network.node_ranges, strict=True):
        print(f"Host      {address} of {prefix}")
    print(f"Pods      {', '.join(network.pod_ranges)}")
    print(
        f"Services  {', '.join(network.service_ranges)}, DNS {cluster.dns_address}, LoadBalancer "
        f"{', '.join('-'.join(pool) for pool in cluster.load_balancer_pools)}"
    )
    print()
    print_table(
        ["NODE", "STATUS", "ADDRESS", "PODS"],
        [
            [
                node.name,
                status.nodes[node.name],
                ", ".join(node.addresses),
                ", ".join(node.pod_cidrs),
            ]
            for node in cluster.nodes
        ],
    )
    print()
    rows = [
        [
            process.name,
            str(process.pid or "-"),
            duration(process.uptime_s) if process.pid else "down",
            str(process.restarts),
            megabytes(process.rss),
            megabytes(process.pss),
        ]
        for process in status.processes
    ]
    total = [
        "total",
        "",
        "",
        "",
        megabytes(sum(process.rss for process in status.processes)),
        megabytes(sum(process.pss for process in status.processes)),
    ]
    # PSS shares what processes have in common, so only its sum is the memory really taken.
    print_table(["PROCESS", "PID", "UP", "RESTARTS", "RSS", "PSS"], [*rows, total])

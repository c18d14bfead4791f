"""`pilotfish up`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from pilotfish.cli.output import mark_done
from pilotfish.cluster.paths import DEFAULT_CLUSTER

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def up(
    name: Annotated[str, typer.Option("--name", help="The cluster's name.")] = DEFAULT_CLUSTER,
    nodes: Annotated[
        int | None, typer.Option("--nodes", help="How many nodes.", show_default="1")
    ] = None,
    node_cidr: Annotated[
        str, typer.Option(help="Range of the host and the nodes.", show_default="next free")
    ] = "",
    pod_cidr: Annotated[
        str, typer.Option(help="Range of the Pods.", show_default="next free")
    ] = "",
    service_cidr: Annotated[
        str, typer.Option(help="Range of the Services.", show_default="next free")
    ] = "",
    ip_family: Annotated[
        str,
        typer.Option(
            help="Addresses of the cluster: ipv4, ipv6 or dual (IPv4 first).", show_default="ipv4"
        ),
    ] = "",
    timeout_s: Annotated[
        float, typer.Option("--timeout", help="Seconds to wait until Services answer.")
    ] = 60.0,
    audit_log: Annotated[
        Path | None,
        typer.Option(help="Write who asked the API for what to this file.", show_default="none"),
    ] = None,
    token_auth_file: Annotated[
        Path | None,
        typer.Option(
            help="Let in the users of this file's static tokens.",
            show_default="none",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    store: Annotated[
        str,
        typer.Option(
            help="Keep the cluster's objects in etcd: etcd://HOST:PORT[,HOST:PORT…][/PREFIX].",
            show_default="a file",
        ),
    ] = "",
    log_format: Annotated[
        str,
        typer.Option(help="How the processes write their logs: text or json.", show_default="text"),
    ] = "",
    allow_host_path: Annotated[
        list[Path] | None,
        typer.Option(
            help="Let Pods of image host ask to see this path. Can be given again.",
            show_default="none",
            exists=True,
        ),
    ] = None,
    show_timeline: Annotated[
        bool, typer.Option("--timeline", help="Show where the time of the start went.")
    ] = False,
) -> None:
    """Start a cluster, or repair one that is partly dead. Returns when its Services answer."""
    from pilotfish.client.invoker import person
    from pilotfish.cluster import kubeconfig, preflight, timeline
    from pilotfish.cluster.plan import WantedRanges
    from pilotfish.cluster.up import up as bring_up
    from pilotfish.cluster.wanted import Wanted

    ranges = WantedRanges(node_cidr, pod_cidr, service_cidr)
    wanted = Wanted(
        name,
        nodes,
        ranges,
        timeout_s,
        ip_family,
        audit_log,
        token_auth_file,
        store,
        log_format,
        tuple(allow_host_path or ()),
    )
    outcome = bring_up(wanted, mark_done)
    for note in preflight.notes():
        print(f"note: {note}", file=sys.stderr)
    context = kubeconfig.context_name(name)
    if outcome.already_running:
        print(f"Cluster {name!r} runs already; kubectl context {context} in {outcome.kubeconfig}.")
        return
    if outcome.repaired:
        print(f"Cluster {name!r} runs again. Was dead: {', '.join(outcome.repaired)}.")
    if show_timeline:
        print(timeline.render(timeline.read(outcome.cluster.folders.timeline)))
    down = "sudo pilotfish down" if person(os.environ) else "pilotfish down"
    if name != DEFAULT_CLUSTER:
        down += f" --name {name}"
    web = "$(kubectl get svc web -o jsonpath='{.spec.clusterIP}')"
    web = f"[{web}]" if outcome.cluster.ip_family == "ipv6" else web
    print(
        f"""
Cluster {name!r} is up; kubectl context {context} is current in {outcome.kubeconfig}.

  kubectl get nodes -o wide
  kubectl create deployment web --image=host --replicas=2 -- python3 -m http.server 8080
  kubectl expose deployment web --port=80 --target-port=8080
  curl http://{web}/

This machine is {outcome.cluster.host_address} to the Pods. Remove everything with: {down}"""
    )

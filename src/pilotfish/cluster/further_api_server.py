"""One more API server of a cluster, on the etcd that keeps its objects.

It has no controllers: those run once, in the cluster's control plane. It goes on while that is
down, and writes of either are seen by the other's watches.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from pilotfish.apiserver.config import ApiServerConfig
from pilotfish.apiserver.server import ApiServer
from pilotfish.cluster import external_store, preflight, state
from pilotfish.cluster.components import run_until_terminated
from pilotfish.cluster.control_plane import api_server_config
from pilotfish.cluster.errors import ClusterError
from pilotfish.cluster.garbage import collect_by_growth


def run(name: str, port: int) -> int:
    """Serve on a port of 127.0.0.1 until terminated. Returns the exit code.

    Raises ClusterError when there is no such cluster, its store cannot be shared, or the port is
    taken.
    """
    preflight.check_root("serve the API of a cluster")
    cluster = state.require(name)
    if not cluster.store:
        raise ClusterError(
            "the cluster's store serves one API server only",
            str(cluster.folders.store),
            f"keep its objects in etcd: pilotfish up --name {name} --store etcd://HOST:PORT",
        )
    if not preflight.port_free(port):
        raise ClusterError(
            "the port is taken by another program",
            f"127.0.0.1:{port}",
            "choose another with --port, or stop that program (ss -ltnp shows it)",
        )
    external_store.check_ours(cluster)
    # Service `kubernetes` leads to the first one; both keep it so.
    config = replace(api_server_config(cluster), listen=(("127.0.0.1", port),), local_socket=None)
    return run_until_terminated(_run(config), cluster.log_format)


async def _run(config: ApiServerConfig) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(collect_by_growth(), name="garbage collection")
        tasks.create_task(ApiServer(config).run(), name="API server")

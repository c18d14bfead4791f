"""What the kernels hold is had from the nodes' proxies, through the API server."""

from __future__ import annotations

import json

from support.shell import Shell


def test_every_node_tells_the_slots_of_every_service(cluster: Shell) -> None:
    address = cluster.cluster_ip("web")
    pods = {f"{pod['status']['podIP']}:8080" for pod in cluster.pods("app=web")}
    for node in ("node-1", "node-2"):
        path = f"/api/v1/nodes/https:{node}:10249/proxy"
        told = json.loads(cluster.kubectl("get", "--raw", f"{path}/v1/tables"))
        fronts = {row["front"]: row for row in told["fronts"]}
        assert told["node"] == node
        web = fronts[f"{address}:80/TCP"]
        assert (web["rule"], web["service"], set(web["slots"])) == ("random", "default/web", pods)
        assert not [row for row in told["fronts"] if "drift" in row]
        metrics = cluster.kubectl("get", "--raw", f"{path}/metrics")
        assert "kubeproxy_sync_proxy_rules_duration_seconds_count" in metrics

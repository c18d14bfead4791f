"""What every chapter of the story needs: the narrator, the cluster, and questions about it."""

from __future__ import annotations

import json
from collections import Counter

from narrator import Narrator, pods_in

CLUSTER = "demo"
REQUESTS = 60


class Scene:
    """Where the story plays.

    Attributes:
        n: tells it.
        host: this machine's address in the cluster.
        nodes: those of the nodes.
    """

    def __init__(self, narrator: Narrator) -> None:
        self.n = narrator
        self.host = ""
        self.nodes: list[str] = []

    def pods_of(self, labels: str) -> list[dict[str, str]]:
        """Name, address and node of the running Pods with these labels, by name."""
        listed = json.loads(self.n.ask(f"kubectl get pods -l {labels} -o json"))
        return [
            {
                "name": pod["metadata"]["name"],
                "address": pod["status"].get("podIP", ""),
                "node": pod["spec"].get("nodeName", ""),
            }
            for pod in listed["items"]
            if "deletionTimestamp" not in pod["metadata"]
        ]

    def service_address(self, name: str) -> str:
        return self.n.ask(f"kubectl get svc {name} -o jsonpath='{{.spec.clusterIP}}'")

    def wait_for_endpoints(self, service: str, count: int) -> None:
        path = "{.endpoints[?(@.conditions.ready==true)].addresses[0]}"
        command = (
            f"kubectl get endpointslices -l kubernetes.io/service-name={service} "
            f"-o jsonpath='{{range .items[*]}}{path} {{end}}'"
        )
        self.n.until(
            f"{service} has {count} ready endpoints",
            lambda: len(self.n.ask(command).split()) == count,
        )

    def edit(self, service: str, old: str, new: str) -> None:
        """`kubectl edit`, with an editor that needs no hands."""
        self.n.run(f"KUBE_EDITOR='sed -i \"s/{old}/{new}/\"' kubectl edit svc {service}")

    def spread(
        self, url: str, labels: str, prefix: str = "", *, check: bool = True
    ) -> Counter[str]:
        """Ask again and again and show which Pod answered how often."""
        n = self.n
        loop = f'for i in $(seq {REQUESTS}); do curl -s "{url}"; done'
        command = f"{prefix}sh -c '{loop}'" if prefix else loop
        answers = n.run(command, quiet=True)
        pods = [pod["name"] for pod in self.pods_of(labels)]
        counts = Counter(pod for pod in pods_in(answers) if pod in pods)
        n.chart(counts, pods)
        if check:
            n.expect(sum(counts.values()) == REQUESTS, "an answer to every request")
            fair = REQUESTS / len(pods)
            # Five standard deviations of a fair choice: it fails by chance once in a million.
            margin = 5 * (fair * (1 - 1 / len(pods))) ** 0.5
            for pod in pods:
                n.expect(abs(counts[pod] - fair) <= margin, f"about {fair:.0f} requests for {pod}")
        return counts

"""The story's beginning: a cluster, and Pods with addresses of their own."""

from __future__ import annotations

import json

from narrator import pods_in
from story.scene import CLUSTER, Scene


def cluster(scene: Scene) -> None:
    n = scene.n
    n.heading(
        1,
        "A cluster in one command",
        """`up` returns when Services answer. There is no Docker and no virtual machine: a
        node is a network namespace of this machine, and `kubectl` is pointed at the
        cluster.""",
    )
    n.run(f"pilotfish up --name {CLUSTER} --nodes 2", timeout_s=120)
    nodes = n.run("kubectl get nodes -o wide")
    n.expect(nodes.count(" Ready ") == 2, "two Ready nodes")
    status = json.loads(n.ask(f"pilotfish status --name {CLUSTER} -o json"))[0]
    scene.host = status["hostAddress"]
    scene.nodes = [node["address"] for node in status["nodes"]]


def pods(scene: Scene) -> None:
    n = scene.n
    n.heading(
        2,
        "Pods with addresses of their own",
        """ReplicaSet go-demo-2 runs an API and its database in every Pod. Each Pod is a
        network namespace with an address that is unique in the cluster.""",
    )
    n.run("kubectl create -f programs.yml -f go-demo-2.yml")
    n.run("kubectl wait pod -l service=go-demo-2,type=backend --for=condition=Ready", quiet=True)
    n.run("kubectl get pods -o wide")
    pods = scene.pods_of("service=go-demo-2,type=backend")
    n.expect(len(pods) == 2, "two Pods")
    n.expect(len({pod["address"] for pod in pods}) == 2, "an address for each Pod")
    n.expect(len({pod["node"] for pod in pods}) == 2, "the Pods on different nodes")
    one, other = pods
    n.say("Containers of one Pod share it: the API reaches its database on localhost.")
    answer = n.run(f"kubectl exec {one['name']} -c api -- curl -s localhost:28017")
    n.expect(pods_in(answer) == [one["name"]], "the database of the same Pod")
    n.say(
        """Pods reach Pods of the other node without NAT: the answer says whom the server
        sees."""
    )
    url = f"http://{other['address']}:8080/demo/hello"
    answer = n.run(f"kubectl exec {one['name']} -c api -- curl -s {url}")
    n.expect(f"you are {one['address']}" in answer, "the client Pod's own address")
    n.say("And so does this machine.")
    answer = n.run(f"curl -s {url}")
    n.expect(f"you are {scene.host}" in answer, f"{scene.host} as the client")

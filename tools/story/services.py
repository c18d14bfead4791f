"""Services: made, asked again and again, and broken by a selector."""

from __future__ import annotations

from narrator import pods_in
from story.scene import CLUSTER, Scene


def expose(scene: Scene) -> None:
    n = scene.n
    n.heading(
        3,
        "Expose the ReplicaSet",
        """Pods come and go, a Service stays. This one takes its selector from the ReplicaSet,
        and type NodePort opens a port on every node, wherever the Pods are.""",
    )
    n.run("kubectl expose rs go-demo-2 --name=go-demo-2-svc --target-port=28017 --type=NodePort")
    n.run("kubectl get svc go-demo-2-svc")
    port = n.ask("kubectl get svc go-demo-2-svc -o jsonpath='{.spec.ports[0].nodePort}'")
    for node in scene.nodes:
        answer = n.run(f"curl -s http://{node}:{port}/")
        n.expect(len(pods_in(answer)) == 1, f"an answer on node {node}")


def service(scene: Scene) -> None:
    n = scene.n
    n.heading(
        4,
        "A Service from a file",
        """The usual way is a manifest. A Service's endpoints are the addresses of the Pods that
        its selector matches and that are ready.""",
    )
    n.run("kubectl create -f svc.yml")
    n.run("kubectl get -f svc.yml")
    scene.wait_for_endpoints("go-demo-2", 2)
    n.run("kubectl get ep go-demo-2 -o yaml 2>/dev/null", lines=40)
    described = n.run("kubectl describe svc go-demo-2")
    for pod in scene.pods_of("service=go-demo-2,type=backend"):
        n.expect(f"{pod['address']}:28017" in described, f"{pod['name']} in the endpoints")
    answer = n.run(f"curl -s http://{scene.nodes[1]}:30001/")
    n.expect(len(pods_in(answer)) == 1, "an answer on the NodePort that the file names")


def load_balancing(scene: Scene) -> None:
    n = scene.n
    n.heading(
        5,
        "Load balancing",
        """Ask the ClusterIP again and again. Each connection picks a Pod at random, in the
        kernel of the node: about equal shares. No process stands between client and Pod.""",
    )
    address = scene.service_address("go-demo-2")
    label = "service=go-demo-2,type=backend"
    scene.spread(f"http://{address}:28017/", label)
    n.say("What the kernel of a node does with such a packet, in words:")
    said = n.run(f"pilotfish tables go-demo-2 --name {CLUSTER}")
    n.expect("one of 2 endpoints" in said, "both Pods in the kernel's tables")
    n.say("The same from inside a Pod, by name.")
    client = scene.pods_of(label)[0]["name"]
    scene.spread("http://go-demo-2:28017/", label, f"kubectl exec {client} -c api -- ")
    n.say(
        """Strictly one after the other is a choice, made with an annotation. Here are three
        replicas of the API on its own, behind a Service that has it."""
    )
    n.run("kubectl apply -f go-demo-2-db.yml -f go-demo-2-api.yml -f svc-types.yml")
    n.run("kubectl wait pod -l service=go-demo-2 --for=condition=Ready", quiet=True)
    scene.wait_for_endpoints("go-demo-2-api-round-robin", 3)
    n.run(
        "kubectl get svc go-demo-2-api-round-robin "
        "-o jsonpath='{.metadata.annotations.pilotfish\\.dev/load-balancing}'"
    )
    address = scene.service_address("go-demo-2-api-round-robin")
    answers = n.run(f"for i in {{1..9}}; do curl -s http://{address}:8080/demo/hello; done")
    pods = pods_in(answers)
    n.expect(len(pods) == 9 and len(set(pods[:3])) == 3, "three different Pods")
    n.expect(pods[:3] == pods[3:6] == pods[6:], "A, B, C, A, B, C")


def broken_selector(scene: Scene) -> None:
    n = scene.n
    n.heading(
        6,
        "A selector that matches nothing",
        """A Service finds its Pods by their labels. If they do not match, it has no endpoints:
        the most common fault of all. The connection is refused at once, it does not hang.""",
    )
    address = scene.service_address("go-demo-2")
    scene.edit("go-demo-2", "service: go-demo-2", "service: go-demo-3")
    scene.wait_for_endpoints("go-demo-2", 0)
    n.run("kubectl get ep go-demo-2 2>/dev/null")
    n.until(
        "the connection is refused",
        lambda: n.ask(f"curl -s -m 2 http://{address}:28017/; echo $?") == "7",
    )
    answer = n.run(f"curl -sS -m 5 http://{address}:28017/", fails=True)
    n.expect("timed out" not in answer, "a refusal, no time-out")
    n.say("And back.")
    scene.edit("go-demo-2", "service: go-demo-3", "service: go-demo-2")
    scene.wait_for_endpoints("go-demo-2", 2)
    n.run("kubectl get ep go-demo-2 2>/dev/null")
    n.until("it answers", lambda: bool(pods_in(n.ask(f"curl -s http://{address}:28017/"))))
    n.run(f"curl -s http://{address}:28017/")

"""Probes: who is not ready gets no request, who is not alive is restarted."""

from __future__ import annotations

from story.scene import REQUESTS, Scene


def readiness(scene: Scene) -> None:
    n = scene.n
    n.heading(
        7,
        "A Pod that is not ready gets no request",
        """Tell one API Pod to fail its readinessProbe. It leaves the endpoints and gets no
        request, but it keeps running.""",
    )
    pods = scene.pods_of("type=api")
    away = pods[0]
    n.run(f"curl -s -X POST 'http://{away['address']}:8080/ready?value=no'")
    scene.wait_for_endpoints("go-demo-2-api", 2)
    n.run("kubectl get pods -l type=api")
    address = scene.service_address("go-demo-2-api")
    counts = scene.spread(f"http://{address}:8080/demo/hello", "type=api", check=False)
    n.expect(counts[away["name"]] == 0, f"no request for {away['name']}")
    n.expect(sum(counts.values()) == REQUESTS, "an answer to every request")
    n.say("It comes back when the probe passes.")
    n.run(f"curl -s -X POST 'http://{away['address']}:8080/ready?value=yes'")
    scene.wait_for_endpoints("go-demo-2-api", 3)
    scene.spread(f"http://{address}:8080/demo/hello", "type=api")


def liveness(scene: Scene) -> None:
    n = scene.n
    n.heading(
        8,
        "A container that is not alive is restarted",
        """Tell it to fail its livenessProbe, twice. Its container is restarted; the Pod stays,
        with its address.""",
    )
    pod = scene.pods_of("type=api")[0]
    n.run(f"curl -s -X POST 'http://{pod['address']}:8080/alive?value=no'")
    restarts = (
        f"kubectl get pod {pod['name']} -o jsonpath='{{.status.containerStatuses[0].restartCount}}'"
    )
    n.until("the container is restarted", lambda: n.ask(restarts) == "1", timeout_s=60)
    n.run(f"kubectl wait pod {pod['name']} --for=condition=Ready", quiet=True)
    n.run("kubectl get pods -l type=api -o wide")
    n.expect(
        any(one == pod for one in scene.pods_of("type=api")), "the same Pod at the same address"
    )
    n.run(f"kubectl events --for pod/{pod['name']} --types=Warning", lines=5)

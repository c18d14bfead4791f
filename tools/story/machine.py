"""This machine as a part of the cluster: a port that leads in, and its own address."""

from __future__ import annotations

import os
import subprocess

from narrator import pods_in
from story.scene import Scene

FORWARDED_PORT = 3000


def port_forward(scene: Scene) -> None:
    n = scene.n
    n.heading(
        11,
        "Port-forward",
        "For the time of one command, a port of this machine leads to a Service.",
    )
    command = (
        f"nohup kubectl port-forward service/go-demo-2-api --address 0.0.0.0 {FORWARDED_PORT}:8080"
    )
    n.show_command(f"{command} > /dev/null 2>&1 &")
    print()
    forward = subprocess.Popen(
        command.split(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ},
    )
    try:
        url = f"http://{scene.host}:{FORWARDED_PORT}/demo/hello"
        n.until("the port is open", lambda: bool(n.ask(f"curl -s {url}")), timeout_s=15)
        answer = n.run(f"curl -s {url}")
        n.expect(len(pods_in(answer)) == 1, "an answer on the forwarded port")
    finally:
        forward.terminate()
        forward.wait()


def the_host(scene: Scene) -> None:
    n = scene.n
    n.heading(
        12,
        "Who is asking?",
        """This machine has an address in the cluster. It is the source of its requests, and
        what a traffic viewer shows.""",
    )
    answer = n.run(f"ifconfig | grep {scene.host}")
    n.expect(scene.host in answer, f"{scene.host} on this machine")
    pod = scene.pods_of("type=api")[0]
    answer = n.run(f"curl -s http://{pod['address']}:8080/demo/hello")
    n.expect(f"you are {scene.host}" in answer, f"{scene.host} as the client")

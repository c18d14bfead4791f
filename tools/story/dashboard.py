"""The dashboard: the same traffic in a browser, and what happens when its cluster is lost."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
from pathlib import Path

from story.scene import CLUSTER, Scene

_PORT = 8899


def proxy(scene: Scene, folder: Path) -> None:
    n = scene.n
    n.heading(
        14,
        "Look at it in a browser",
        """The dashboard shows requests as they happen and as they were, each Service with what is
        wrong with it, and who talks to whom. A browser opens where there is a desktop; here the
        link is printed. It is good for one visit.""",
    )
    said = folder / "proxy"
    port = _free_port()
    command = ["pilotfish", "proxy", "--no-browser"] + ([f"--port={port}"] * (port != _PORT))
    n.show_command(" ".join(command))
    print()
    with said.open("w") as out:
        running = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            # The history of the demo ends with it.
            env={**os.environ, "XDG_STATE_HOME": str(folder / "state")},
        )
        try:
            n.until("the link is printed", lambda: "?token=" in said.read_text())
            _visit(scene, folder, said)
            _lose_the_cluster(scene, folder, said, port)
        finally:
            running.send_signal(signal.SIGINT)
            running.wait()


def _visit(scene: Scene, folder: Path, said: Path) -> None:
    """A browser opens the link; another one that has it too gets nothing."""
    n = scene.n
    n.until("it is connected", lambda: "connected" in said.read_text())
    n.quote(_without_tokens(said.read_text()))
    link = re.findall(r"http://\S+token=\S+", said.read_text())[0]
    n.say("What a browser does with it: the token becomes a cookie, and opens nothing again.")
    ask = "curl -s -o /dev/null -w '%{http_code}\\n'"
    first = n.run(
        f"{ask} -L -c {folder}/cookies -b '' '{link}'",
        shown=f"{ask} -L -c cookies -b '' '{_without_tokens(link)}'",
    )
    n.expect(first.strip() == "200", "the page")
    again = n.run(f"{ask} '{link}'", shown=f"{ask} '{_without_tokens(link)}'")
    n.expect(again.strip() == "401", "nothing for the same link once more")


def _lose_the_cluster(scene: Scene, folder: Path, said: Path, port: int) -> None:
    """Kill what it hears the cluster by; it goes on by itself."""
    n = scene.n
    service = scene.service_address("go-demo-2-api")

    def is_shown(name: str) -> bool:
        n.ask(f"curl -s 'http://{service}:8080/demo/person?name={name}'")
        return name in n.ask(f"curl -s -b {folder}/cookies '{entries}'")

    entries = f"http://127.0.0.1:{port}/api/v1/entries?since=1m&filter=http"
    n.until("a request is on the page", lambda: is_shown("Ana"))
    n.say(
        "The cluster is lost: here its API server is killed. Page and terminal say so, and go on."
    )
    found = json.loads(n.ask(f"pilotfish status --name {CLUSTER} -o json"))[0]
    pids = {each["name"]: each["pid"] for each in found["processes"]}
    before = len(said.read_text())
    n.run(f"kill -9 {pids['control-plane']}")
    n.until("it is connected again", lambda: "connected again" in said.read_text())
    n.until("requests are on the page again", lambda: is_shown("Maria"))
    n.quote(_without_tokens(said.read_text()[before:]))
    n.expect("connection to the cluster lost" in said.read_text(), "a word about it")


def _without_tokens(text: str) -> str:
    return re.sub(r"token=\S+", "token=…", text.strip())


def _free_port() -> int:
    """The usual one; another where somebody else has that."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", _PORT))
        except OSError:
            listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port

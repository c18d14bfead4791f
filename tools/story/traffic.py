"""Traffic seen: request by request, and as a capture file."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from story.scene import Scene


def tap(scene: Scene, folder: Path) -> None:
    n = scene.n
    n.heading(
        13,
        "See every request",
        """The tap shows each request as it happens, once: who asked, which Service, and the Pod
        that the kernel chose. It writes the packets down as well.""",
    )
    service = scene.service_address("go-demo-2-api")
    n.show_command("pilotfish tap -A --write requests.pcapng")
    print()
    lines = folder / "lines"
    with lines.open("w") as out:
        tap = subprocess.Popen(
            ["pilotfish", "tap", "-A", "--write", str(folder / "requests.pcapng")],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            hello = f"http://{service}:8080/demo/hello"
            n.until(
                "the tap sees a request",
                lambda: bool(n.ask(f"curl -s {hello}")) and "/demo/hello" in lines.read_text(),
            )
            n.run(f'for i in 1 2 3; do curl -s "{hello}"; done', quiet=True)
            n.run(f'curl -s "http://{service}:8080/demo/person?name=Viktor"', quiet=True)
            # The API asks its database on behalf of this one: look-up, question, answer.
            n.until("the tap sees both hops", lambda: lines.read_text().count("Viktor") >= 2)
        finally:
            tap.send_signal(signal.SIGINT)
            tap.wait()
    n.say("What the tap said meanwhile:")
    said = lines.read_text()
    n.quote("\n".join(said.splitlines()[-8:]))
    n.expect("host → default/go-demo-2-api → default/go-demo-2-api-" in said, "the Pod chosen")
    n.expect("default/go-demo-2-db → default/go-demo-2-db-" in said, "the second hop")


def capture_file(scene: Scene, folder: Path) -> None:
    n = scene.n
    n.heading(
        15,
        "The same as a capture file",
        """requests.pcapng opens in Wireshark, tshark and tcpdump; it carries the names of the
        addresses, and each request's line as a comment. The tap reads it too.""",
    )
    service = scene.service_address("go-demo-2-api")
    answer = n.run(
        f"pilotfish tap --read {folder}/requests.pcapng --filter 'path == \"/demo/person\"'",
        shown="pilotfish tap --read requests.pcapng --filter 'path == \"/demo/person\"'",
    )
    n.expect(f"→ {service}" in answer, "the request that was captured")

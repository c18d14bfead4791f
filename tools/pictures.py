"""`make pictures`: the dashboard with the story's traffic, as docs/pictures shows it."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser

from page_digest import PICTURES as FOLDER
from page_digest import ROOT, note
from support.application import ALL_IN_ONE_LABELS
from support.browser import chromium
from support.proxy import Proxy, proxying
from support.shell import Shell
from support.visitor import Visitor, visiting

CLUSTER = "pictures"
EXAMPLES = ROOT / "examples" / "go-demo-2"
WIDE, NARROW = (1280, 800), (390, 844)
# A request of a Pod: its picture has everything.
CHOSEN = re.compile(r"go-demo-2-\w{5}go-demo-2-api.*GET /demo/person")
TRAFFIC = "/traffic?filter=http"
SERVICE = "/services?name=default/go-demo-2-api&window=60"
COLOURS = 256
MAX_BYTES = 150_000
# The charts are of the last minute.
TRAFFIC_S = 45
# Layouts and charts take their places.
SETTLES_MS = 1500


def main() -> int:
    """Make the pictures; returns the exit code."""
    FOLDER.mkdir(exist_ok=True)
    noted = note()
    with tempfile.TemporaryDirectory(prefix="pilotfish-pictures-") as folder:
        take_all(Path(folder))
    (FOLDER / "made-of.txt").write_text(noted)
    return 0


def take_all(folder: Path) -> None:
    """A cluster, its traffic, and a picture of each page."""
    shell = Shell(folder / "kubeconfig")
    shell.pilotfish("up", "--name", CLUSTER, "--nodes", "2")
    try:
        addresses = begin_story(shell)
        with proxying(shell, folder, "--no-browser") as proxy, chromium() as browser:
            proxy.until_seen(nodes=2)
            with asking(shell, addresses):
                time.sleep(TRAFFIC_S)
                for scheme in ("light", "dark"):
                    take_wide(browser, proxy, scheme)
                    take_narrow(browser, proxy, scheme)
    finally:
        shell.pilotfish("down", "--name", CLUSTER)


def begin_story(shell: Shell) -> dict[str, str]:
    """go-demo-2 with three databases; the ClusterIP of each Service that is asked."""
    for file in ("programs", "go-demo-2", "go-demo-2-db", "go-demo-2-api", "svc", "svc-types"):
        shell.kubectl("create", "-f", str(EXAMPLES / f"{file}.yml"))
    shell.kubectl("scale", "rs", "go-demo-2-db", "--replicas=3")
    for service, count in {"go-demo-2": 2, "go-demo-2-api": 3, "go-demo-2-db": 3}.items():
        shell.wait_endpoints(service, count)
    names = ("go-demo-2-api", "go-demo-2-api-round-robin")
    return {name: shell.cluster_ip(name) for name in names}


@contextmanager
def asking(shell: Shell, addresses: dict[str, str]) -> Iterator[None]:
    """Ask from this machine and from a Pod, for as long as the block lasts."""
    api = f"http://{addresses['go-demo-2-api']}:8080"
    person = f"{api}/demo/person?name=Viktor"
    from_here = [
        *[f"{api}/demo/hello", person] * 4,
        f"http://{addresses['go-demo-2-api-round-robin']}:8080/demo/hello",
        f"{api}/demo/nobody",
    ]
    from_pod = ["http://go-demo-2-api:8080/demo/person?name=Ana"]
    pod = shell.pods(ALL_IN_ONE_LABELS)[0]["metadata"]["name"]
    inside = f"kubectl exec {pod} -c api --"
    running = [
        subprocess.Popen(
            ["sh", "-c", f"while :; do {asks}; done"],
            stdout=subprocess.DEVNULL,
            env=shell.environment,
            start_new_session=True,
        )
        for asks in (_asks(from_here), f'{inside} sh -c "{_asks(from_pod * 20)}"')
    ]
    try:
        yield
    finally:
        for process in running:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _asks(urls: list[str]) -> str:
    return "; ".join(f"curl -s -o /dev/null '{url}'; sleep 0.2" for url in urls)


def take_wide(browser: Browser, proxy: Proxy, scheme: str) -> None:
    """Each page on a desktop."""
    with visiting(browser, proxy, TRAFFIC, WIDE, **_look(scheme)) as visitor:
        choose(visitor)
        save(visitor, f"traffic-wide-{scheme}")
        visitor.open(SERVICE)
        visitor.page.locator(".slots").first.wait_for()
        save(visitor, f"services-wide-{scheme}")
        visitor.open("/map?window=60")
        visitor.page.locator(".map-node").first.wait_for()
        save(visitor, f"map-wide-{scheme}")


def take_narrow(browser: Browser, proxy: Proxy, scheme: str) -> None:
    """Each page on a phone, where one thing is shown at a time."""
    with visiting(browser, proxy, TRAFFIC, NARROW, is_mobile=True, **_look(scheme)) as visitor:
        visitor.row("").wait_for()
        save(visitor, f"traffic-narrow-{scheme}")
        choose(visitor)
        save(visitor, f"details-narrow-{scheme}")
        visitor.open(SERVICE)
        visitor.page.locator(".slots").first.wait_for()
        save(visitor, f"services-narrow-{scheme}")
        visitor.open("/map?window=60")
        visitor.page.locator(".map-list").wait_for()
        save(visitor, f"map-narrow-{scheme}")


def choose(visitor: Visitor) -> None:
    """Open the details of a request that has everything to show."""
    # No click: the rows move on.
    visitor.row(CHOSEN).dispatch_event("click")
    visitor.details.locator(".box.peer").first.wait_for()


def _look(scheme: str) -> dict[str, str]:
    return {"color_scheme": scheme, "reduced_motion": "reduce"}


def save(visitor: Visitor, name: str) -> None:
    """What is seen now, as a small file."""
    visitor.page.wait_for_timeout(SETTLES_MS)
    image = Image.open(io.BytesIO(visitor.page.screenshot(animations="disabled")))
    path = FOLDER / f"{name}.png"
    # The way that keeps colours which only a few points have.
    plain = image.convert("RGB").quantize(
        COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
    )
    plain.save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path.relative_to(ROOT)}: {size // 1000} kB")
    if size > MAX_BYTES:
        raise SystemExit(f"error: {path} is larger than {MAX_BYTES} bytes")


if __name__ == "__main__":
    sys.exit(main())

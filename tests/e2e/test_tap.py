"""The story's rows 12, 13 and 15: `pilotfish tap`, its table, and its capture files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support.application import API_LABELS, NAME
from support.shell import Shell, eventually

HELLO = "/demo/hello"


PILOTFISH = (sys.executable, "-m", "pilotfish")


def tapped(
    shell: Shell,
    folder: Path,
    *options: str,
    ask: Callable[[], object],
    seen: str,
    command: tuple[str, ...] = (*PILOTFISH, "tap"),
) -> str:
    """What the tap prints while `ask` is called, until `seen` is in it; ended as by Ctrl-C.

    What it says beside that, where it looks, goes to the folder's file `told`.
    """
    out = folder / "out"
    with out.open("w") as file, (folder / "told").open("w") as told:
        tap = subprocess.Popen(
            [*command, *options], stdout=file, stderr=told, env=shell.environment
        )
        try:

            def shown() -> bool:
                ask()
                return seen in out.read_text()

            eventually(shown, f"the tap prints {seen!r}")
        finally:
            tap.send_signal(signal.SIGINT)
            assert tap.wait(20) == 0
    return out.read_text()


@pytest.fixture
def hello(application: Shell) -> Callable[[], str]:
    """Asks the API through its ClusterIP, from this machine."""
    url = f"http://{application.cluster_ip('go-demo-2-api')}:8080{HELLO}"
    return lambda: application.curl(url)


def test_row_13_each_request_with_source_service_and_the_pod_that_was_chosen(
    application: Shell, tmp_path: Path, hello: Callable[[], str]
) -> None:
    answers: list[str] = []
    printed = tapped(
        application, tmp_path, "-A", ask=lambda: answers.append(hello()), seen=f"GET {HELLO} → 200"
    )
    assert (tmp_path / "told").read_text() == "watching requests in all namespaces; Ctrl-C ends\n"
    line = next(each for each in printed.splitlines() if HELLO in each)
    source, service, pod = line.split("  ")[1].split(" → ")
    assert (source, service) == ("host", "default/go-demo-2-api")
    assert any(f"I am {pod.removeprefix('default/')} " in answer for answer in answers)


def test_row_13_a_request_of_a_pod_and_the_look_up_that_led_to_it(
    application: Shell, tmp_path: Path
) -> None:
    pod = application.pods(API_LABELS)[0]["metadata"]["name"]

    def ask() -> None:
        application.kubectl("exec", pod, "--", "curl", "-s", f"http://go-demo-2-api:8080{HELLO}")

    printed = tapped(application, tmp_path, "-A", "-o", "json", ask=ask, seen=f'"{HELLO}"')
    entries = [json.loads(line) for line in printed.splitlines()]
    request = next(each for each in entries if each["protocol"] == "http")
    assert request["src"]["pod"]["name"] == pod
    assert request["dst"]["service"]["name"] == "go-demo-2-api"
    assert request["endpoint"]["pod"]["name"].startswith("go-demo-2-api-")
    assert request["dns"]["name"].startswith("go-demo-2-api.default.svc.cluster.local")


def test_names_and_filters_choose_what_is_shown(
    application: Shell, tmp_path: Path, hello: Callable[[], str]
) -> None:
    url = f"http://{application.cluster_ip('go-demo-2-api')}:8080"

    def ask() -> None:
        hello()
        application.run("curl", "-s", f"{url}/nothing")

    printed = tapped(
        application,
        tmp_path,
        "go-demo-2-api",
        "--filter",
        "status_code == 404",
        ask=ask,
        seen="404",
    )
    assert HELLO not in printed


def test_a_filter_that_means_nothing_points_at_the_place(application: Shell) -> None:
    done = application.run(*PILOTFISH, "tap", "-A", "--filter", "http && stauts_code >= 500")
    assert done.returncode == 1
    assert "there is no stauts_code; did you mean status_code?" in done.stderr
    assert "^^^^^^^^^^^" in done.stderr


def test_the_table_has_each_endpoint_beside_its_equal_share(
    application: Shell, tmp_path: Path
) -> None:
    url = f"http://{application.cluster_ip('go-demo-2-api')}:8080{HELLO}"
    out = tmp_path / "out"
    with out.open("w") as file:
        tap = subprocess.Popen(
            [*PILOTFISH, "tap", "go-demo-2-api", "--stats"],
            stdout=file,
            env=application.environment,
        )
        # Nothing tells from outside when the capture begins: ask for some seconds.
        for _ in range(8):
            application.answers(url, 40)
            time.sleep(0.5)
        tap.send_signal(signal.SIGINT)
        assert tap.wait(20) == 0
    printed = out.read_text()
    assert printed.startswith("SERVICE")
    for pod in application.pods(API_LABELS):
        assert pod["metadata"]["name"] in printed
    assert "33.3%" in printed


def test_row_15_the_same_traffic_as_a_capture_file_that_tshark_opens(
    application: Shell, tmp_path: Path, hello: Callable[[], str]
) -> None:
    path = tmp_path / "requests.pcapng"
    tapped(application, tmp_path, "-A", "--write", str(path), ask=hello, seen=HELLO)
    assert path.stat().st_mode & 0o777 == 0o600
    done = subprocess.run(
        ["tshark", "-r", path, "-Y", "frame.comment", "-T", "fields", "-e", "frame.comment"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert [said for said in done.stderr.splitlines() if "Running as user" not in said] == []
    assert "host → default/go-demo-2-api → default/go-demo-2-api-" in done.stdout
    read = application.pilotfish("tap", "--read", str(path), "--filter", f'path == "{HELLO}"')
    assert f"GET {HELLO} → 200" in read


def test_the_tap_is_a_plugin_of_kubectl(
    application: Shell, tmp_path: Path, hello: Callable[[], str]
) -> None:
    plugin = ("kubectl", "pilotfish", "tap")
    tapped(application, tmp_path, "-A", ask=hello, seen=HELLO, command=plugin)


def test_a_file_that_is_no_capture_is_refused_in_one_line(application: Shell) -> None:
    done = application.run(*PILOTFISH, "tap", "--read", "/etc/hostname")
    assert done.returncode == 1
    assert done.stderr.startswith("error: cannot tap; /etc/hostname: is no capture file")
    assert len(done.stderr.splitlines()) == 1


def test_who_watches_is_told_when_a_node_is_not_seen_and_when_it_is_again(
    application: Shell, tmp_path: Path, hello: Callable[[], str]
) -> None:
    out = tmp_path / "out"
    with out.open("w") as file:
        tap = subprocess.Popen(
            [*PILOTFISH, "tap", "-A"],
            stdout=file,
            stderr=subprocess.STDOUT,
            env=application.environment,
        )
        try:
            eventually(lambda: bool(hello()) and HELLO in out.read_text(), "a request is seen")
            found = json.loads(application.pilotfish("status", "--name", NAME, "-o", "json"))[0]
            pids = {each["name"]: each["pid"] for each in found["processes"]}
            os.kill(pids["control-plane"], signal.SIGKILL)
            eventually(lambda: "node-1: not seen, trying again: " in out.read_text(), "it is told")
            eventually(lambda: "node-1: seen again" in out.read_text(), "it is told again")
            eventually(lambda: "node-2: seen again" in out.read_text(), "of the other node too")
            before = out.read_text().count(HELLO)
            eventually(
                lambda: bool(hello()) and out.read_text().count(HELLO) > before,
                "requests are seen again",
            )
        finally:
            tap.send_signal(signal.SIGINT)
            assert tap.wait(20) == 0
    assert "Traceback" not in out.read_text()

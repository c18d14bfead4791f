"""Whatever is killed: rows come again in an open page by themselves, and until then it says why."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from support.application import NAME
from support.browser import chromium
from support.proxy import Proxy, proxying
from support.refusing import RefusingCluster
from support.shell import Shell, eventually
from support.visitor import Visitor, visiting

OTHER = f"{NAME}-page"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Not for the session: tests of other files need an event loop of their own.
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, shell: Shell) -> Iterator[RefusingCluster]:
    made = RefusingCluster(Shell(tmp_path_factory.mktemp("page") / "kubeconfig"), OTHER)
    made.up()
    yield made
    made.down()


@pytest.fixture
def proxy(cluster: RefusingCluster, tmp_path: Path) -> Iterator[Proxy]:
    with proxying(cluster.shell, tmp_path, "--no-browser") as running:
        running.until_told("connected")
        yield running


@pytest.fixture
def visitor(browser: Browser, proxy: Proxy) -> Iterator[Visitor]:
    with visiting(browser, proxy) as made:
        # It is not loaded again, by nobody: this would be gone.
        made.page.evaluate("() => { window.isTheSame = true; }")
        yield made
        assert made.page.evaluate("() => window.isTheSame")


def count(visitor: Visitor) -> int:
    """Of all rows in the list, seen or not."""
    rows = visitor.page.locator("#rows")
    return int(rows.get_attribute("aria-rowcount") or 0) if rows.count() else 0


def sees_rows(visitor: Visitor, cluster: RefusingCluster) -> None:
    """Wait until what is asked now is shown."""
    before = count(visitor)

    def shown() -> bool:
        cluster.ask()
        visitor.page.wait_for_timeout(300)
        return count(visitor) > before

    eventually(shown, "rows appear")
    assert visitor.rows()[-1]["dst"] == "nobody"
    expect(visitor.banner).to_have_count(0)


def test_rows_come_again_when_the_capture_is_killed(
    visitor: Visitor, cluster: RefusingCluster
) -> None:
    sees_rows(visitor, cluster)
    before = cluster.capture()
    os.kill(before, signal.SIGKILL)
    sees_rows(visitor, cluster)
    assert cluster.capture() != before


@pytest.mark.parametrize("process", ["control-plane", "node-1"])
def test_rows_come_again_when_a_process_of_the_cluster_is_killed(
    visitor: Visitor, proxy: Proxy, cluster: RefusingCluster, process: str
) -> None:
    sees_rows(visitor, cluster)
    os.kill(cluster.pid(process), signal.SIGKILL)
    expect(visitor.banner).to_contain_text("The connection to the cluster is lost")
    proxy.until_told("connection to the cluster lost")
    sees_rows(visitor, cluster)
    proxy.until_told("connected again")


def test_rows_come_again_when_the_cluster_was_down_and_is_up(
    visitor: Visitor, proxy: Proxy, cluster: RefusingCluster
) -> None:
    sees_rows(visitor, cluster)
    seen = count(visitor)
    cluster.down()
    expect(visitor.banner).to_contain_text("The connection to the cluster is lost")
    expect(visitor.banner).to_contain_text("trying again")
    proxy.until_told("connection to the cluster lost")
    # What was seen stays.
    assert count(visitor) == seen
    cluster.up()
    sees_rows(visitor, cluster)
    proxy.until_told("connected again")


def test_rows_come_again_when_pilotfish_proxy_was_killed_and_is_run_again(
    visitor: Visitor, proxy: Proxy, cluster: RefusingCluster
) -> None:
    sees_rows(visitor, cluster)
    before = count(visitor)
    proxy.process.kill()
    proxy.process.wait()
    expect(visitor.banner).to_contain_text("The connection to pilotfish proxy is lost")
    expect(visitor.banner).to_contain_text("run: pilotfish proxy")
    assert count(visitor) == before
    again = Proxy(cluster.shell, proxy.folder, "--no-browser", port=proxy.port)
    try:
        sees_rows(visitor, cluster)
        # What is in the history too is not shown twice.
        ids = [row["time"] for row in visitor.rows()]
        assert ids == sorted(set(ids))
    finally:
        again.process.kill()
        again.process.wait()

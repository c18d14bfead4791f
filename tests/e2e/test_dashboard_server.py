"""The server of `pilotfish proxy`: who gets in, and that it goes on whatever is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from support.application import NAME
from support.proxy import Page, Proxy, browser, page, proxying
from support.refusing import RefusingCluster
from support.shell import Shell

OTHER = f"{NAME}-proxy"
REFUSED = "no endpoints"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, shell: Shell) -> Iterator[RefusingCluster]:
    made = RefusingCluster(Shell(tmp_path_factory.mktemp("proxy") / "kubeconfig"), OTHER)
    made.up()
    yield made
    made.down()


@pytest.fixture
def proxy(cluster: RefusingCluster, tmp_path: Path) -> Iterator[Proxy]:
    with proxying(cluster.shell, tmp_path, "--no-browser") as running:
        running.until_told("connected")
        yield running


async def sees_traffic(seen: Page, cluster: RefusingCluster) -> None:
    """Wait until what is asked now is shown."""
    before = len(seen.rows)

    def shown() -> bool:
        cluster.ask()
        return len(seen.rows) > before

    await seen.until(shown, "rows appear")


async def test_two_viewers_at_once_each_with_a_link_and_a_filter(
    cluster: RefusingCluster, proxy: Proxy
) -> None:
    async with (
        browser(proxy) as one,
        browser(proxy) as other,
        page(one, filter=f'failure == "{REFUSED}"') as refused,
        page(other, filter="dns") as names,
    ):
        await sees_traffic(refused, cluster)
        assert {row["failure"] for row in refused.rows} == {REFUSED}
        assert refused.rows[-1]["dst"]["name"] == "nobody"
        assert names.rows == []
    # One for each, and one for whoever comes next.
    assert proxy.told.count("?token=") == 3


async def test_a_link_works_once(proxy: Proxy) -> None:
    link = proxy.link()
    async with aiohttp.ClientSession() as session:
        async with session.get(link, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/")
        async with session.get(link, allow_redirects=False) as answer:
            assert answer.status == 401
    proxy.until_told("for another visit")
    assert proxy.link() != link


async def test_other_names_origins_and_strangers_get_nothing(proxy: Proxy) -> None:
    async with browser(proxy) as known, aiohttp.ClientSession(proxy.url) as stranger:
        attempts: list[tuple[aiohttp.ClientSession, dict[str, str], int]] = [
            (stranger, {}, 401),
            (stranger, {"Authorization": "Bearer wrong"}, 401),
            (known, {"Host": f"evil.example:{proxy.port}"}, 403),
            (known, {"Origin": "http://evil.example"}, 403),
        ]
        for session, headers, status in attempts:
            async with session.get("/api/v1/entries", headers=headers) as answer:
                assert answer.status == status
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await session.ws_connect("/api/v1/live", headers=headers)


async def test_programs_ask_with_the_token_in_the_state_folder(
    cluster: RefusingCluster, proxy: Proxy
) -> None:
    headers = {"Authorization": f"Bearer {proxy.token()}"}
    async with aiohttp.ClientSession(proxy.url, headers=headers) as program:
        async with page(program) as seen:
            await sees_traffic(seen, cluster)
        async with program.get("/api/v1/entries", params={"limit": "1"}) as answer:
            entries: list[dict[str, Any]] = (await answer.json())["entries"]
        assert [entry["failure"] for entry in entries] == [REFUSED]
        async with program.get("/metrics") as answer:
            assert "nobody" in await answer.text()


async def test_rows_come_again_after_each_part_and_then_the_whole_cluster_was_killed(
    cluster: RefusingCluster, proxy: Proxy
) -> None:
    async with browser(proxy) as session, page(session) as seen:
        await sees_traffic(seen, cluster)

        capture = cluster.capture()
        os.kill(capture, signal.SIGKILL)
        await sees_traffic(seen, cluster)

        os.kill(cluster.pid("node-1"), signal.SIGKILL)
        await seen.until(lambda: not seen.connected, "the page is told")
        await seen.until(lambda: seen.connected, "connected again")
        await sees_traffic(seen, cluster)

        times = proxy.told.count("connected again")
        os.kill(cluster.pid("control-plane"), signal.SIGKILL)
        await seen.until(lambda: not seen.connected, "the page is told")
        await seen.until(lambda: seen.connected, "connected again")
        await sees_traffic(seen, cluster)
        assert "connection to the cluster lost" in proxy.told
        assert proxy.told.count("connected again") > times

        await asyncio.to_thread(cluster.down)
        await seen.until(lambda: bool(seen.statuses[-1]["retry_at"]), "the next attempt is said")
        assert "no context named" in seen.statuses[-1]["problem"]
        await asyncio.to_thread(cluster.up)
        await seen.until(lambda: seen.connected, "connected again")
        await sees_traffic(seen, cluster)


async def test_a_page_that_is_open_survives_that_the_command_is_run_again(
    cluster: RefusingCluster, tmp_path: Path
) -> None:
    first = Proxy(cluster.shell, tmp_path, "--no-browser")
    async with browser(first) as session:
        async with page(session) as seen:
            await sees_traffic(seen, cluster)
        assert first.end() == 0
        again = Proxy(cluster.shell, tmp_path, "--no-browser", port=first.port)
        try:
            again.until_told("?token=")
            async with page(session) as seen:
                # What was seen before is still there.
                await seen.until(lambda: len(seen.rows) >= 1, "history")
        finally:
            again.process.kill()
            again.process.wait()


async def test_it_ends_at_once_though_a_page_is_open_that_does_not_answer(proxy: Proxy) -> None:
    async with browser(proxy) as session:
        socket = await session.ws_connect("/api/v1/live", headers={"Origin": proxy.url})
        # Nobody reads from it, so it never says good-bye.
        assert await asyncio.to_thread(proxy.end) == 0
        await socket.close()


def test_a_second_command_gives_another_link_to_the_proxy_that_runs(proxy: Proxy) -> None:
    command = [sys.executable, "-m", "pilotfish", "proxy", "--port", str(proxy.port)]
    done = subprocess.run(
        command, capture_output=True, text=True, env=proxy.environment, timeout=20, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"{proxy.url}/?token=" in done.stdout
    assert proxy.link() not in done.stdout


def test_a_proxy_of_another_cluster_that_has_the_port_is_named(proxy: Proxy) -> None:
    command = [sys.executable, "-m", "pilotfish", "proxy", "--port", str(proxy.port)]
    done = subprocess.run(
        [*command, "--context", "another"],
        capture_output=True, text=True, env=proxy.environment, timeout=20, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert f"the proxy of pilotfish-{OTHER} listens there" in done.stderr


def test_a_port_that_somebody_else_has_is_said(cluster: RefusingCluster, proxy: Proxy) -> None:
    elsewhere = {**proxy.environment, "XDG_STATE_HOME": str(proxy.folder / "elsewhere")}
    command = [sys.executable, "-m", "pilotfish", "proxy", "--port", str(proxy.port)]
    done = subprocess.run(
        command, capture_output=True, text=True, env=elsewhere, timeout=20, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: another program listens there; 127.0.0.1:")
    assert "--port" in done.stderr


async def test_without_a_cluster_it_starts_says_so_and_connects_when_one_comes(
    tmp_path: Path, cluster: RefusingCluster
) -> None:
    later = Shell(tmp_path / "kubeconfig")
    with proxying(later, tmp_path, "--no-browser") as proxy:
        proxy.until_told("no cluster yet: no kubeconfig")
        async with browser(proxy) as session, page(session) as seen:
            await seen.until(lambda: bool(seen.statuses), "a status")
            assert "no kubeconfig" in seen.statuses[-1]["problem"]
            content = Path(cluster.shell.environment["KUBECONFIG"]).read_bytes()
            (tmp_path / "kubeconfig").write_bytes(content)
            await sees_traffic(seen, cluster)
        assert proxy.end() == 0

"""exec over streams that a test holds in its hands, with real processes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from pilotfish.node.runtime import ExecProcess
from pilotfish.node.streaming.command_streams import CommandOptions, CommandStreams, command_options
from pilotfish.node.streaming.http1 import BadRequest, Request
from pilotfish.node.streaming.remote_command import run_process, start_process
from pilotfish.node.streaming.streams import Inbox, StreamGone
from support.local_runtime import LocalProcess


class HeldStream:
    """Its input is what the test puts into `inbox`; its output gathers in `written`."""

    def __init__(self) -> None:
        self.inbox = Inbox()
        self.written = b""
        self.closed = False
        self.gone = False
        self.flowing = asyncio.Event()
        self.flowing.set()

    async def read(self) -> bytes:
        return await self.inbox.read()

    async def write(self, data: bytes) -> None:
        if self.gone:
            raise StreamGone
        await self.flowing.wait()
        self.written += data

    async def close(self) -> None:
        self.closed = True

    def ignore_input(self) -> None:
        self.inbox.ignore()


class Held:
    """The streams of one command."""

    def __init__(self) -> None:
        self.stdin, self.stdout, self.stderr, self.error, self.resize = (
            HeldStream() for _ in range(5)
        )

    def streams(self, tty: bool = False) -> CommandStreams:
        if tty:
            return CommandStreams(self.error, self.stdin, self.stdout, None, self.resize)
        return CommandStreams(self.error, self.stdin, self.stdout, self.stderr)


def shell(script: str, tty: bool = False) -> LocalProcess:
    return LocalProcess(["sh", "-c", script], tty, stdin=True)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


async def test_outputs_and_exit_code() -> None:
    held = Held()
    status = await run_process(held.streams(), shell("echo out; echo err >&2; exit 3"))
    assert (held.stdout.written, held.stderr.written) == (b"out\n", b"err\n")
    assert status["details"]["causes"][0]["message"] == "3"


async def test_output_that_the_client_takes_slowly_is_not_lost() -> None:
    held = Held()
    held.stdout.flowing.clear()
    process = shell("head -c 60000 /dev/zero")
    running = asyncio.create_task(run_process(held.streams(), process))
    await process.wait()
    # Longer than silence counts as the end of the output.
    await asyncio.sleep(0.6)
    assert not running.done()
    held.stdout.flowing.set()
    await running
    assert len(held.stdout.written) == 60000


async def test_a_process_that_writes_more_than_the_client_takes_is_held() -> None:
    held = Held()
    held.stdout.flowing.clear()
    process = shell("head -c 10000000 /dev/zero; echo done >&2")
    running = asyncio.create_task(run_process(held.streams(), process))
    await asyncio.sleep(0.3)
    assert not held.stderr.written
    held.stdout.flowing.set()
    await running
    assert len(held.stdout.written) == 10_000_000
    assert held.stderr.written == b"done\n"


async def test_a_client_that_drops_the_output_does_not_stop_the_process() -> None:
    held = Held()
    held.stdout.gone = True
    status = await run_process(held.streams(), shell("head -c 1000000 /dev/zero; exit 5"))
    assert status["details"]["causes"][0]["message"] == "5"


async def test_sizes_of_the_terminal_come_one_after_the_other() -> None:
    held = Held()
    process = shell("read a; stty size", tty=True)
    running = asyncio.create_task(run_process(held.streams(tty=True), process))
    for text in (b'{"Width":80,"Height":24}{"Wid', b'th":100,', b'"Height":30}\n'):
        held.resize.inbox.put(text)
    await asyncio.sleep(0.1)
    held.stdin.inbox.put(b"\n")
    await running
    assert b"30 100\r\n" in held.stdout.written


@pytest.mark.parametrize("text", [b'{"Width":-1,"Height":9}', b'{"Width":"x"}', b"[]" * 1000])
async def test_sizes_that_are_none_do_no_harm(text: bytes) -> None:
    held = Held()
    held.resize.inbox.put(text)
    process = shell("sleep 0.1; echo fine", tty=True)
    status = await run_process(held.streams(tty=True), process)
    assert status["status"] == "Success"
    assert b"fine" in held.stdout.written


async def test_cancelling_kills_a_process_without_terminal() -> None:
    held = Held()
    process = shell("echo on; sleep 600")
    running = asyncio.create_task(run_process(held.streams(), process))
    await until(lambda: bool(held.stdout.written))
    running.cancel()
    assert await process.wait() == 128 + 9


async def test_a_process_that_starts_after_its_client_left_is_killed() -> None:
    let_go = asyncio.Event()
    started: list[LocalProcess] = []

    async def start() -> ExecProcess:
        await let_go.wait()
        started.append(shell("sleep 600"))
        return started[0]

    starting = asyncio.create_task(start_process(start()))
    await asyncio.sleep(0)
    starting.cancel()
    await asyncio.sleep(0)
    let_go.set()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert await started[0].wait() == 128 + 9


async def test_cancelling_hangs_up_a_terminal() -> None:
    held = Held()
    process = shell("trap 'exit 9' HUP; echo on; while :; do sleep 0.05; done", tty=True)
    running = asyncio.create_task(run_process(held.streams(tty=True), process))
    await until(lambda: b"on" in held.stdout.written)
    running.cancel()
    assert await process.wait() == 9


def test_a_terminal_has_no_stderr() -> None:
    query = {"input": ["1"], "output": ["1"], "error": ["1"], "tty": ["1"]}
    assert command_options(Request("POST", (), query, ())) == CommandOptions(
        stdin=True, stdout=True, stderr=False, tty=True
    )


def test_a_request_for_no_stream_is_refused() -> None:
    with pytest.raises(BadRequest, match="at least 1 of stdin, stdout, stderr"):
        command_options(Request("POST", (), {"tty": ["1"]}, ()))
    with pytest.raises(BadRequest, match="at least 1"):
        command_options(Request("POST", (), {"tty": ["1"], "error": ["1"]}, ()))

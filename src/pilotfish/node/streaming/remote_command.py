"""exec and attach: bytes between a client's streams and a process, and how it ended.

The end of a command, in this order: its outputs are read to their end, the Status goes out
on the error stream, every stream is closed, and the client closes the connection. A client
that leaves first takes the command with it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Protocol

from pilotfish.node.errors import LookupFailed, RuntimeFailed
from pilotfish.node.runtime import Attachment, ExecProcess
from pilotfish.node.streaming import statuses
from pilotfish.node.streaming.command_streams import CommandConnection, CommandStreams
from pilotfish.node.streaming.descriptors import Descriptor
from pilotfish.node.streaming.streams import Stream, StreamGone
from pilotfish.objects.meta import Object

log = logging.getLogger(__name__)

# After a command has ended, another process that it left behind may still hold its output
# open. What the command itself wrote is in the pipe then; this long nothing came: done.
_LEFTOVER_OUTPUT_S = 0.25
# How long the client gets to take the last bytes and close the connection.
_GOODBYE_S = 10.0
# A size of a terminal as JSON is shorter than this, and its numbers fit struct winsize.
_MAX_SIZE_TEXT = 1024
_MAX_CHARACTERS = 1 << 16


class Resizable(Protocol):
    def resize(self, width: int, height: int) -> None:
        """Set the terminal's size in characters."""


Command = Callable[[CommandStreams], Awaitable[Object]]


async def serve(connection: CommandConnection, command: Command) -> None:
    """Runs `command` with the connection's streams and reports the Status that it returns."""
    receiving = asyncio.create_task(connection.run())
    serving = asyncio.create_task(_serve(connection, command))
    try:
        await asyncio.wait({receiving, serving}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
            connection.send_end()
            await asyncio.wait({receiving}, timeout=_GOODBYE_S)
        else:
            log.debug("the client has gone before the command ended")
    finally:
        for task in (serving, receiving):
            task.cancel()
        await asyncio.gather(serving, receiving, return_exceptions=True)
        connection.close()


async def _serve(connection: CommandConnection, command: Command) -> None:
    try:
        streams = await connection.streams()
    except TimeoutError:
        log.warning("a client asked for a command and did not open its streams")
        return
    try:
        status = await command(streams)
    except (LookupFailed, RuntimeFailed, OSError) as error:
        status = statuses.failed(str(error))
    with suppress(StreamGone):  # nobody is left to be told
        if report := statuses.error_stream_bytes(status, streams.version):
            await streams.error.write(report)
        for stream in (streams.stdout, streams.stderr, streams.error):
            if stream:
                await stream.close()


async def start_process(starting: Coroutine[None, None, ExecProcess]) -> ExecProcess:
    """Awaits a start so that what is started never goes astray: a cancelled one ends in a kill."""
    task = asyncio.create_task(starting)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        with suppress(LookupFailed, RuntimeFailed, OSError):  # then there is nothing to kill
            process = await task
            for fd in (process.stdin, process.stdout, process.stderr, process.pty):
                if fd is not None:
                    os.close(fd)
            process.kill()
        raise


async def run_process(streams: CommandStreams, process: ExecProcess) -> Object:
    """Connects a process of its own to the streams until it ends; the Status of its end.

    When cancelled (the client has gone) a process with a terminal gets SIGHUP by the
    terminal's closing, another one is killed: nobody could stop it any more.
    """
    stdin, stdout, stderr, pty = (
        None if fd is None else Descriptor(fd)
        for fd in (process.stdin, process.stdout, process.stderr, process.pty)
    )
    ended = False
    outputs = [
        _Output(descriptor, stream)
        for descriptor, stream in ((pty or stdout, streams.stdout), (stderr, streams.stderr))
        if descriptor
    ]
    inputs = []
    if streams.stdin and pty:
        inputs.append(asyncio.create_task(_copy_input(streams.stdin, pty)))
    elif streams.stdin and stdin:
        inputs.append(asyncio.create_task(_copy_input(streams.stdin, stdin, close=True)))
    if streams.resize:
        inputs.append(asyncio.create_task(_copy_sizes(streams.resize, process)))
    try:
        code = await process.wait()
        ended = True
        await _finish(outputs)
        return statuses.exited(code)
    finally:
        await _stop([*inputs, *(output.task for output in outputs)])
        _ignore_inputs(streams)
        for descriptor in (stdin, stdout, stderr, pty):
            if descriptor:
                descriptor.close()
        if not ended and not pty:
            process.kill()


async def run_attached(streams: CommandStreams, attachment: Attachment) -> Object:
    """Connects a container's own streams until it ends; always ends well, as in Kubernetes.

    The end of the client's input is that of a `stdinOnce` container's too, and otherwise the
    end of the attachment, so that one can pipe something in and get one's shell back.
    """
    tasks = [showing := asyncio.create_task(_show(streams, attachment))]
    if streams.resize:
        tasks.append(asyncio.create_task(_copy_sizes(streams.resize, attachment)))
    try:
        if streams.stdin and attachment.stdin is not None:
            descriptor = Descriptor(attachment.stdin)
            tasks.append(feeding := asyncio.create_task(_copy_input(streams.stdin, descriptor)))
            await asyncio.wait({showing, feeding}, return_when=asyncio.FIRST_COMPLETED)
            if not showing.done():
                if not attachment.stdin_once:
                    return statuses.exited(0)
                attachment.end_stdin()
        await showing
    finally:
        await _stop(tasks)
        _ignore_inputs(streams)
        if streams.stdin and attachment.stdin_once:
            attachment.end_stdin()
    return statuses.exited(0)


async def _show(streams: CommandStreams, attachment: Attachment) -> None:
    try:
        async for name, data in attachment.output():
            stream = streams.stderr if name == "stderr" else streams.stdout
            if stream:
                await stream.write(data)
    except StreamGone:
        log.debug("the client of an attached container has gone")


async def _stop(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _ignore_inputs(streams: CommandStreams) -> None:
    for stream in (streams.stdin, streams.resize):
        if stream:
            stream.ignore_input()


class _Output:
    """Sends one output of a process to its end; what nobody wants is read too, or it would block.

    `waiting` while the process has said nothing, `pieces` counts what it has said.
    """

    def __init__(self, descriptor: Descriptor, stream: Stream | None) -> None:
        self._descriptor = descriptor
        self._stream = stream
        self.waiting = True
        self.pieces = 0
        self.task = asyncio.create_task(self._copy())

    async def _copy(self) -> None:
        while data := await self._descriptor.read():
            self.pieces += 1
            self.waiting = False
            if self._stream:
                try:
                    await self._stream.write(data)
                except StreamGone:
                    self._stream = None
            self.waiting = True


async def _finish(outputs: list[_Output]) -> None:
    """Waits for the outputs' end, or until all of them are silent."""
    while pending := [output for output in outputs if not output.task.done()]:
        before = [output.pieces for output in pending]
        await asyncio.wait({output.task for output in pending}, timeout=_LEFTOVER_OUTPUT_S)
        pieces = [output.pieces for output in pending]
        if pieces == before and all(output.waiting for output in pending):
            return


async def _copy_input(stream: Stream, descriptor: Descriptor, close: bool = False) -> None:
    """Feeds a process; `close` passes the client's end of input on (a terminal has none)."""
    try:
        while data := await stream.read():
            await descriptor.write(data)
    except OSError as error:
        log.debug("a process does not read its input any more: %s", error)
        stream.ignore_input()
    if close:
        descriptor.close()


async def _copy_sizes(stream: Stream, terminal: Resizable) -> None:
    """Reads {"Width": 80, "Height": 24} one after the other, with or without space between."""
    decoder = json.JSONDecoder()
    text = ""
    while data := await stream.read():
        text += data.decode("ascii", "replace")
        while text := text.lstrip():
            try:
                size, end = decoder.raw_decode(text)
                width, height = int(size["Width"]), int(size["Height"])
            except (ValueError, KeyError, TypeError) as error:
                if len(text) > _MAX_SIZE_TEXT:
                    log.warning("a client sent a terminal size that is none: %s", error)
                    stream.ignore_input()
                    return
                break
            text = text[end:]
            if 0 < width < _MAX_CHARACTERS and 0 < height < _MAX_CHARACTERS:
                terminal.resize(width, height)

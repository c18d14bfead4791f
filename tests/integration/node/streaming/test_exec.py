"""kubectl exec, through the API server and the kubelet's server, into real processes."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import signal
import struct
import termios

import pytest

from .conftest import TIMEOUT_S, Streams


async def read_until(fd: int, text: bytes) -> bytes:
    """What a terminal shows, up to and with `text`."""
    loop = asyncio.get_running_loop()
    seen = bytearray()
    changed = asyncio.Event()

    def take() -> None:
        seen.extend(os.read(fd, 4096))
        changed.set()

    loop.add_reader(fd, take)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            while text not in seen:
                changed.clear()
                await changed.wait()
    except TimeoutError:
        pytest.fail(f"the terminal shows {bytes(seen)!r} instead of {text!r}")
    finally:
        loop.remove_reader(fd)
    return bytes(seen)


async def test_output_errors_and_exit_code_arrive(streams: Streams) -> None:
    script = "echo to stdout; echo to stderr >&2; exit 7"
    code, output, errors = await streams.kubectl("exec", "app", "--", "sh", "-c", script)
    assert code == 7
    assert output == "to stdout\n"
    assert errors.splitlines() == ["to stderr", "command terminated with exit code 7"]


async def test_the_end_of_stdin_arrives(streams: Streams) -> None:
    code, output, _ = await streams.kubectl(
        "exec", "-i", "app", "--", "sh", "-c", "cat; echo the end", stdin="from the client\n"
    )
    assert (code, output) == (0, "from the client\nthe end\n")


async def test_megabytes_pass_unchanged_in_both_directions(streams: Streams) -> None:
    data = os.urandom(1 << 16).hex() * 48
    code, output, _ = await streams.kubectl("exec", "-i", "app", "--", "cat", stdin=data)
    assert code == 0
    assert hashlib.sha256(output.encode()).digest() == hashlib.sha256(data.encode()).digest()


async def test_a_command_that_does_not_read_its_input_ends_well(streams: Streams) -> None:
    code, output, _ = await streams.kubectl(
        "exec", "-i", "app", "--", "echo", "done", stdin="unread\n" * 200_000
    )
    assert (code, output) == (0, "done\n")


async def test_a_command_that_is_not_there_is_named(streams: Streams) -> None:
    code, _, errors = await streams.kubectl("exec", "app", "--", "no-such-command")
    assert code != 0
    assert 'exec: "no-such-command": executable file not found' in errors


async def test_what_a_command_leaves_in_the_background_is_not_waited_for(
    streams: Streams,
) -> None:
    script = "sleep 600 & echo $!"
    code, output, _ = await streams.kubectl("exec", "app", "--", "sh", "-c", script)
    assert code == 0
    os.kill(int(output), signal.SIGKILL)


async def test_a_client_that_leaves_takes_its_command_along(streams: Streams) -> None:
    kubectl = await streams.start_kubectl("exec", "app", "--", "sh", "-c", "echo on; sleep 600")
    assert kubectl.stdout
    assert await kubectl.stdout.readline() == b"on\n"
    kubectl.kill()
    (process,) = streams.runtime.processes
    async with asyncio.timeout(TIMEOUT_S):
        assert await process.wait() == 128 + 9


async def test_a_terminal_has_the_size_of_the_users_and_follows_it(streams: Streams) -> None:
    user, terminal = os.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    script = "while [ $(stty size | cut -d' ' -f1) != $0 ]; do sleep 0.05; done; stty size"
    command = f"sh -c '{script.replace(chr(39), chr(34))}'"
    kubectl = await streams.start_kubectl(
        "exec", "-it", "app", "--", "sh", stdin=terminal, stdout=terminal
    )
    os.close(terminal)
    os.write(user, f"{command} 30\n".encode())
    await read_until(user, b"30 100\r\n")
    fcntl.ioctl(user, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))
    kubectl.send_signal(28)  # SIGWINCH, which the kernel sends to a foreground group only
    os.write(user, f"{command} 50\n".encode())
    await read_until(user, b"50 120\r\n")
    os.write(user, b"exit 3\n")
    async with asyncio.timeout(TIMEOUT_S):
        assert await kubectl.wait() == 3
    os.close(user)


async def test_the_interrupt_key_reaches_the_command(streams: Streams) -> None:
    user, terminal = os.openpty()
    kubectl = await streams.start_kubectl(
        "exec", "-it", "app", "--", "sh", "-c", "echo on; sleep 600",
        stdin=terminal, stdout=terminal,
    )  # fmt: skip
    os.close(terminal)
    await read_until(user, b"on\r\n")
    os.write(user, b"\x03")
    async with asyncio.timeout(TIMEOUT_S):
        assert await kubectl.wait() == 130
    os.close(user)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("app", "-c", "nobody"), "container nobody is not valid for pod app"),
        (("nobody",), 'pods "nobody" not found'),
        (("pair", "-c", "stopped"), 'container not found ("stopped")'),
    ],
)
async def test_what_is_not_there_is_named(
    streams: Streams, arguments: tuple[str, ...], complaint: str
) -> None:
    code, _, errors = await streams.kubectl("exec", *arguments, "--", "true")
    assert code == 1
    assert complaint in errors


async def test_attach_sees_what_a_container_says_and_feeds_it(streams: Streams) -> None:
    script = "sed s/^/got:/; echo the end"
    streams.runtime.run_container("default/app", "main", ["sh", "-c", script])
    code, output, _ = await streams.kubectl("attach", "-i", "app", stdin="a line\n")
    assert (code, output) == (0, "got:a line\nthe end\n")


async def test_attach_to_a_terminal(streams: Streams) -> None:
    streams.runtime.run_container("default/terminal", "main", ["sh"], tty=True)
    user, terminal = os.openpty()
    kubectl = await streams.start_kubectl(
        "attach", "-it", "terminal", stdin=terminal, stdout=terminal
    )
    os.close(terminal)
    os.write(user, b"echo $((6 * 7)); tty\n")
    assert b"/dev/pts/" in await read_until(user, b"42\r\n/dev/pts/")
    os.write(user, b"exit\n")
    async with asyncio.timeout(TIMEOUT_S):
        assert await kubectl.wait() == 0
    os.close(user)

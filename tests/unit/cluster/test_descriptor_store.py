"""Terminals that outlive who opened them: the supervisor's store and the kubelet's side of it."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilotfish.cluster.descriptor_store import DescriptorStore
from pilotfish.node.terminal_keeper import TerminalKeeper


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[TerminalKeeper]:
    """A kubelet's keeper, with a store that serves until the test ends."""
    store = DescriptorStore(tmp_path / "terminals.sock")
    stop, stopped = os.pipe()

    def serve() -> None:
        while stop not in (ready := select.select([store.listener, stop], [], [])[0]):
            assert ready
            store.serve()

    thread = threading.Thread(target=serve)
    thread.start()
    yield TerminalKeeper(tmp_path / "terminals.sock")
    os.close(stopped)
    thread.join()
    store.listener.close()
    os.close(stop)


def hung_up(terminal: int) -> bool:
    """Whether nobody holds the terminal's master any more."""
    poll = select.poll()
    poll.register(terminal, 0)
    return any(event & select.POLLHUP for _, event in poll.poll(0))


def test_a_terminal_that_is_kept_does_not_hang_up(keeper: TerminalKeeper) -> None:
    master, terminal = os.openpty()
    keeper.keep("c1", master)
    os.close(master)
    assert not hung_up(terminal)
    taken = keeper.take("c1")
    assert taken is not None
    os.write(terminal, b"after the kubelet's death\n")
    assert os.read(taken, 100) == b"after the kubelet's death\r\n"
    assert not os.get_blocking(taken)
    os.close(taken)
    assert not hung_up(terminal)
    keeper.drop("c1")
    assert hung_up(terminal)
    os.close(terminal)


def test_what_is_kept_again_replaces_what_was(keeper: TerminalKeeper) -> None:
    terminals = []
    for _ in range(2):
        master, terminal = os.openpty()
        keeper.keep("c1", master)
        os.close(master)
        terminals.append(terminal)
    assert [hung_up(terminal) for terminal in terminals] == [True, False]
    keeper.drop("c1")
    for terminal in terminals:
        os.close(terminal)


def test_an_unknown_name_gives_nothing(keeper: TerminalKeeper) -> None:
    assert keeper.take("nobody") is None
    keeper.drop("nobody")


def test_without_a_supervisor_nothing_is_kept_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keeper = TerminalKeeper(tmp_path / "nowhere.sock")
    assert keeper.take("c1") is None
    assert "terminal of container c1: cannot take it" in caplog.text

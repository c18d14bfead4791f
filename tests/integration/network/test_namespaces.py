from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pilotfish.network import links, namespaces
from pilotfish.network.netlink import Netlink

Make = Callable[[str], str]


def own_namespace() -> int:
    return Path("/proc/thread-self/ns/net").stat().st_ino


def test_a_namespace_is_one_for_ip_netns_too(make_namespace: Make) -> None:
    name = make_namespace("named")
    shown = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True)
    assert name in shown.stdout
    command = ["ip", "netns", "exec", name, "readlink", "/proc/self/ns/net"]
    inner = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert str(Path(namespaces.path(name)).stat().st_ino) in inner
    assert name in namespaces.names("t-g-")


def test_a_namespace_of_ip_netns_is_one_for_us(make_namespace: Make) -> None:
    name = make_namespace("foreign")
    namespaces.delete(name)
    subprocess.run(["ip", "netns", "add", name], check=True)
    assert namespaces.exists(name)
    namespaces.delete(name)
    assert not namespaces.exists(name)


def test_inside_comes_back_also_after_an_error(make_namespace: Make) -> None:
    name = make_namespace("inside")
    home = own_namespace()
    with pytest.raises(ZeroDivisionError), namespaces.inside(name):
        assert own_namespace() != home
        raise ZeroDivisionError
    assert own_namespace() == home


def test_inside_takes_a_descriptor_of_a_namespace(make_namespace: Make) -> None:
    home = own_namespace()
    descriptor = os.open("/proc/self/ns/net", os.O_RDONLY)
    with namespaces.inside(make_namespace("there")):
        with namespaces.inside(f"/proc/self/fd/{descriptor}"):
            assert own_namespace() == home
        assert own_namespace() != home
    os.close(descriptor)


def test_a_socket_opened_inside_stays_there(make_namespace: Make) -> None:
    with namespaces.inside(make_namespace("socket")), socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        address = listener.getsockname()
        with socket.create_connection(address, 2):
            pass


def test_a_missing_namespace_is_said_so() -> None:
    with pytest.raises(FileNotFoundError), namespaces.inside("t-g-nowhere"):
        pass
    assert not namespaces.exists("t-g-nowhere")
    namespaces.delete("t-g-nowhere")


def test_a_taken_name_is_refused_and_left_alone(make_namespace: Make) -> None:
    name = make_namespace("taken")
    with pytest.raises(FileExistsError):
        namespaces.create(name)
    assert namespaces.exists(name)


def test_the_name_that_a_crash_left_without_a_namespace_is_used_again() -> None:
    name = "t-g-leftover"
    (namespaces.FOLDER / name).touch()
    assert not namespaces.exists(name)
    namespaces.create(name)
    assert namespaces.exists(name)
    namespaces.delete(name)


def test_a_setup_that_fails_leaves_no_namespace() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    home = own_namespace()
    with pytest.raises(ZeroDivisionError):
        namespaces.create("t-g-failed", setup=fail)
    assert not namespaces.exists("t-g-failed")
    assert own_namespace() == home


def test_sysctls_belong_to_the_namespace(make_namespace: Make) -> None:
    first, second = make_namespace("one"), make_namespace("two")
    with namespaces.inside(first):
        namespaces.sysctl("ipv4/ip_forward", 1)
        assert Path("/proc/sys/net/ipv4/ip_forward").read_text() == "1\n"
    with namespaces.inside(second):
        assert Path("/proc/sys/net/ipv4/ip_forward").read_text() == "0\n"
        assert not namespaces.has_sysctl("ipv4/nonsense")


def test_an_error_tells_what_was_asked_where(make_namespace: Make) -> None:
    name = make_namespace("error")
    with Netlink(name) as nl, pytest.raises(OSError, match=f"dummy0 up in namespace {name}"):
        links.set_up(nl, "dummy0")

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pilotfish.dns.resolv_conf import ResolvConf, name_servers


def test_the_first_three_name_servers_count() -> None:
    text = "# x\nsearch a b\nnameserver 192.0.2.1\nnameserver ::1 # y\n\tnameserver 192.0.2.3\n"
    found = name_servers(text + "nameserver 192.0.2.4\n")
    assert found == ["192.0.2.1", "::1", "192.0.2.3"]


def test_nonsense_and_our_own_addresses_do_not_count() -> None:
    text = "nameserver\nnameserver nonsense\nnameserver 10.96.0.10\nnameserver 192.0.2.1"
    assert name_servers(text, own={"10.96.0.10"}) == ["192.0.2.1"]


def test_a_change_of_the_file_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text("nameserver 192.0.2.1\n")
    resolv_conf = ResolvConf(path, own=())
    assert resolv_conf.servers() == ["192.0.2.1"]
    path.write_text("nameserver 192.0.2.2\n")
    os.utime(path, ns=(1, 1))
    assert resolv_conf.servers() == ["192.0.2.2"]


def test_a_missing_file_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    resolv_conf = ResolvConf(tmp_path / "none", own=())
    assert resolv_conf.servers() == []
    assert resolv_conf.servers() == []
    assert len(caplog.records) == 1

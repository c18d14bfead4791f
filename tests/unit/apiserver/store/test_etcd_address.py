"""Where etcd is, as users write it."""

from __future__ import annotations

import pytest

from pilotfish.apiserver.store.etcd.address import AddressError, EtcdAddress, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("etcd://h", EtcdAddress((("h", 2379),))),
        ("etcd://127.0.0.1:1/", EtcdAddress((("127.0.0.1", 1),))),
        ("etcd://a:1,b,[::1]:3/x/y/", EtcdAddress((("a", 1), ("b", 2379), ("::1", 3)), "/x/y")),
        ("etcd://[::1]", EtcdAddress((("::1", 2379),))),
        ("etcds://h", EtcdAddress((("h", 2379),), tls=True)),
        (
            "etcds://h/p?ca=/a&cert=/b&key=/c",
            EtcdAddress((("h", 2379),), "/p", True, "/a", "/b", "/c"),
        ),
    ],
)
def test_hosts_prefix_and_files_are_read(text: str, address: EtcdAddress) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "not the address of a store"),
        ("127.0.0.1:2379", "not the address of a store"),
        ("http://h", "not the address of a store"),
        ("etcd://", "not the address of a store"),
        ("etcd://h#x", "not the address of a store"),
        ("etcd://[::1", "not a host"),
        ("etcd://a,,b", "not a host: ''"),
        ("etcd://h:0", "not a port: 'h:0'"),
        ("etcd://h:x", "not a port: 'h:x'"),
        ("etcd://h:99999", "not a port: 'h:99999'"),
        ("etcd://me:secret@h", "users with passwords"),
        ("etcds://h?timeout=/3", "not a setting of a store: timeout=/3"),
        ("etcds://h?ca=relative.pem", "not a setting of a store: ca=relative.pem"),
        ("etcd://h?ca=/a", "certificates without TLS"),
        ("etcds://h?cert=/a", "a certificate and its key go together"),
    ],
)
def test_anything_else_is_refused_with_what_to_write(text: str, what: str) -> None:
    with pytest.raises(AddressError, match=what) as refusal:
        parse_address(text)
    assert refusal.value.mend


def test_an_address_is_shown_without_its_files() -> None:
    shown = str(parse_address("etcds://a,[::1]:3/x?ca=/a"))
    assert shown == "etcds://a:2379,[::1]:3/x"

from __future__ import annotations

import errno
import struct

from hypothesis import given
from hypothesis import strategies as st

from pilotfish.network import message


@given(st.dictionaries(st.integers(1, 0x3FFF), st.binary(max_size=50)))
def test_attributes_come_out_as_they_went_in(wanted: dict[int, bytes]) -> None:
    data = b"".join(message.attribute(kind, value) for kind, value in wanted.items())
    assert len(data) % 4 == 0
    assert message.attributes(data) == wanted


@given(st.binary(max_size=200))
def test_garbage_is_read_without_an_error(data: bytes) -> None:
    message.attributes(data)
    list(message.messages(data))


def test_messages_of_one_datagram_are_taken_apart() -> None:
    datagram = message.request(16, 0, 7, b"body") + message.request(17, 0, 8, b"")
    found = [(kind, sequence, body) for kind, _, sequence, body in message.messages(datagram)]
    assert found == [(16, 7, b"body"), (17, 8, b"")]


def test_an_error_carries_the_kernels_explanation() -> None:
    failed = message.request(16, 0, 1, b"abcd")
    body = struct.pack("=i", -errno.EINVAL) + failed + message.attribute(1, "no such thing")
    flags = message.NLM_F_ACK_TLVS
    assert message.error(flags, body) == (errno.EINVAL, "no such thing")
    capped = struct.pack("=i", -errno.EINVAL) + failed[:16] + message.attribute(1, "short")
    assert message.error(flags | message.NLM_F_CAPPED, capped) == (errno.EINVAL, "short")


def test_an_acknowledgement_is_no_error() -> None:
    assert message.error(0, struct.pack("=i", 0) + bytes(16)) == (0, "")


def test_prefixes_of_both_families_are_packed() -> None:
    assert message.pack_prefix("10.0.0.1") == (2, b"\x0a\0\0\x01", 32)
    assert message.pack_prefix("10.0.0.0/8") == (2, b"\x0a\0\0\0", 8)
    family, packed, length = message.pack_prefix("fd00::1/64")
    assert (family, len(packed), length) == (10, 16, 64)
    assert message.text_address(packed) == "fd00::1"

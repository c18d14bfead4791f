"""Messages of Protocol Buffers, without their schema."""

from __future__ import annotations

import gzip
import struct

import pytest

from pilotfish.tap.dissectors.protobuf import (
    MAX_FIELDS,
    MAX_MESSAGES,
    NotProtobufError,
    grpc_messages,
    read,
)


def prefixed(message: bytes, compressed: int = 0) -> bytes:
    return struct.pack(">BI", compressed, len(message)) + message


def field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


def test_each_wire_type_is_read() -> None:
    message = (
        b"\x08\x96\x01"  # the documentation's own example: field 1 is 150
        + field(2, b"testing")
        + b"\x19"
        + struct.pack("<d", 2.5)
        + b"\x25"
        + struct.pack("<f", -1.5)
        + field(5, b"\xff\xfe")
    )
    assert read(message) == [
        {"number": 1, "type": "varint", "value": 150},
        {"number": 2, "type": "text", "value": "testing"},
        {"number": 3, "type": "fixed64", "value": "4612811918334230528", "as_float": 2.5},
        {"number": 4, "type": "fixed32", "value": 0xBFC00000, "as_float": -1.5},
        {"number": 5, "type": "bytes", "value": "fffe", "size": 2},
    ]


def test_a_message_in_a_message_is_read() -> None:
    inner = b"\x08\x01" + field(2, b"Rex")
    assert read(field(3, inner)) == [
        {
            "number": 3,
            "type": "message",
            "value": [
                {"number": 1, "type": "varint", "value": 1},
                {"number": 2, "type": "text", "value": "Rex"},
            ],
        }
    ]


def test_a_message_that_begins_with_a_text_is_told_from_a_text() -> None:
    (outer,) = read(field(1, field(1, b"Rex")))
    assert outer["type"] == "message"


@pytest.mark.parametrize("text", ["hello", "two\nlines", "", "grüß dich", "0"])
def test_texts_stay_texts(text: str) -> None:
    assert read(field(1, text.encode())) == [{"number": 1, "type": "text", "value": text}]


@pytest.mark.parametrize(
    "broken", [b"\x0a\x05ab", b"\x08\xff", b"\x00\x01", b"\x0b", b"\x09abc", b"\x08" + b"\xff" * 11]
)
def test_what_is_no_message_is_refused(broken: bytes) -> None:
    with pytest.raises(NotProtobufError):
        read(broken)


def test_many_fields_are_bounded() -> None:
    with pytest.raises(NotProtobufError, match="more than"):
        read(b"\x08\x01" * (MAX_FIELDS + 1))


def test_messages_within_messages_are_bounded() -> None:
    deep = b"\x08\x01"
    for _ in range(40):
        deep = field(1, deep)
    said = read(deep)
    depth = 0
    while said and said[0]["type"] == "message":
        said, depth = said[0]["value"], depth + 1
    assert depth < 20


def test_messages_of_a_body_are_told_apart() -> None:
    first, second = grpc_messages(prefixed(b"\x08\x01") + prefixed(b"\x08\x02"), "")
    assert [first["fields"][0]["value"], second["fields"][0]["value"]] == [1, 2]


def test_a_compressed_message_is_unpacked() -> None:
    (message,) = grpc_messages(prefixed(gzip.compress(b"\x08\x05"), 1), "gzip")
    assert message == {"fields": [{"number": 1, "type": "varint", "value": 5}]}


def test_what_cannot_be_read_says_why() -> None:
    assert "snappy" in grpc_messages(prefixed(b"\x00", 1), "snappy")[0]["problem"]
    assert "beginning" in grpc_messages(prefixed(b"\x08\x01")[:-1], "")[0]["problem"]
    (broken,) = grpc_messages(prefixed(b"\x0a\x05ab"), "")
    assert broken == {"hex": "0a056162", "problem": "a field is longer than its message"}


def test_no_more_messages_are_read_than_somebody_looks_at() -> None:
    assert len(grpc_messages(prefixed(b"") * 100, "")) == MAX_MESSAGES

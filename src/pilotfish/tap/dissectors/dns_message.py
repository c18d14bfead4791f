"""A DNS message on the wire → names, types and answers (RFC 1035, RFC 3596, RFC 6891)."""

from __future__ import annotations

import struct
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address
from typing import Any, NamedTuple

HEAD_BYTES = 12
MAX_RECORDS = 200
_MAX_NAME_BYTES = 255
_MAX_JUMPS = 32

_head = struct.Struct("!HHHHHH").unpack_from
_question_tail = struct.Struct("!HH").unpack_from
_record_tail = struct.Struct("!HHIH").unpack_from

TYPES = {
    1: "A",
    2: "NS",
    5: "CNAME",
    6: "SOA",
    10: "NULL",
    12: "PTR",
    13: "HINFO",
    15: "MX",
    16: "TXT",
    28: "AAAA",
    33: "SRV",
    35: "NAPTR",
    39: "DNAME",
    41: "OPT",
    43: "DS",
    46: "RRSIG",
    47: "NSEC",
    48: "DNSKEY",
    50: "NSEC3",
    52: "TLSA",
    64: "SVCB",
    65: "HTTPS",
    251: "IXFR",
    252: "AXFR",
    255: "ANY",
    257: "CAA",
}
RCODES = {
    0: "NOERROR",
    1: "FORMERR",
    2: "SERVFAIL",
    3: "NXDOMAIN",
    4: "NOTIMP",
    5: "REFUSED",
    6: "YXDOMAIN",
    7: "YXRRSET",
    8: "NXRRSET",
    9: "NOTAUTH",
    10: "NOTZONE",
    16: "BADVERS",
}
OPCODES = {0: "QUERY", 1: "IQUERY", 2: "STATUS", 4: "NOTIFY", 5: "UPDATE"}
_CLASSES = {1: "IN", 3: "CH", 4: "HS", 254: "NONE", 255: "ANY"}
_OPT = 41


class Question(NamedTuple):
    """What is asked; the name in presentation format, with its dot at the end."""

    name: str
    type: str
    class_: str


class Record(NamedTuple):
    """A resource record; its data in presentation format where the type is known."""

    name: str
    type: str
    ttl_s: int
    data: str


class DnsMessage:
    """A query or an answer, read when somebody asks.

    Attributes:
        wire: the message.
        size: its length, bytes.
    """

    __slots__ = ("__dict__", "size", "wire")

    def __init__(self, wire: bytes) -> None:
        self.wire = wire
        self.size = len(wire)

    @property
    def id(self) -> int:
        """Which query an answer belongs to."""
        return (self.wire[0] << 8) | self.wire[1]

    @property
    def is_answer(self) -> bool:
        """Whether the QR bit is set."""
        return bool(self.wire[2] & 0x80)

    @property
    def rcode(self) -> str:
        """The answer's code by name: "NOERROR", "NXDOMAIN", …; without EDNS' extension of it."""
        code = self.wire[3] & 0x0F
        return RCODES.get(code, str(code))

    @cached_property
    def question(self) -> Question | None:
        """The first (in practice the only) question; None when there is none, or it is broken."""
        return self._sections[0]

    @property
    def records(self) -> list[Record]:
        """The records of the answer section."""
        return self._sections[1]

    @property
    def authority(self) -> list[Record]:
        """The records of the authority section."""
        return self._sections[2]

    @property
    def additional(self) -> list[Record]:
        """The records of the additional section, OPT not among them."""
        return self._sections[3]

    @cached_property
    def _sections(self) -> tuple[Question | None, list[Record], list[Record], list[Record]]:
        """Everything behind the head, as far as it can be read."""
        _, _, questions, *counts = _head(self.wire)
        question: Question | None = None
        sections: list[list[Record]] = [[], [], []]
        try:
            at = HEAD_BYTES
            for _ in range(min(questions, MAX_RECORDS)):
                name, at = read_name(self.wire, at)
                kind, class_ = _question_tail(self.wire, at)
                at += 4
                question = question or Question(name, _type(kind), _class(class_))
            for section, count in zip(sections, counts, strict=True):
                for _ in range(min(count, MAX_RECORDS)):
                    record, at = _read_record(self.wire, at)
                    if record is not None:
                        section.append(record)
        except (IndexError, ValueError, struct.error):
            pass  # what was read before the message breaks off is worth showing
        return question, sections[0], sections[1], sections[2]

    def fields(self) -> dict[str, Any]:
        """What it says, as JSON values."""
        question = self.question or Question("", "", "")
        flags = self.wire[2]
        opcode = (flags >> 3) & 0x0F
        said: dict[str, Any] = {
            "id": self.id,
            "opcode": OPCODES.get(opcode, str(opcode)),
            "name": question.name,
            "type": question.type,
            "class": question.class_,
            "size": self.size,
        }
        if not self.is_answer:
            return {**said, "method": question.type, "recursion_desired": bool(flags & 1)}
        return {
            **said,
            "rcode": self.rcode,
            "status": self.rcode,
            "authoritative": bool(flags & 4),
            "truncated": bool(flags & 2),
            "answers": [_record_fields(record) for record in self.records],
            "authority": [_record_fields(record) for record in self.authority],
            "additional": [_record_fields(record) for record in self.additional],
        }


def _record_fields(record: Record) -> dict[str, Any]:
    return {"name": record.name, "type": record.type, "ttl": record.ttl_s, "data": record.data}


def read_name(wire: bytes, at: int) -> tuple[str, int]:
    """A name in presentation format, and where the next thing begins.

    Raises:
        IndexError, ValueError: the name is broken (or its pointers go in circles).
    """
    labels: list[str] = []
    size = jumps = 0
    after = -1
    while True:
        length = wire[at]
        if length & 0xC0 == 0xC0:
            after = at + 2 if after < 0 else after
            at = ((length & 0x3F) << 8) | wire[at + 1]
            jumps += 1
            if jumps > _MAX_JUMPS:
                raise ValueError("pointers in circles")
            continue
        if length & 0xC0:
            raise ValueError("a label of an unknown kind")
        at += 1
        if not length:
            return ".".join(labels) + ".", at if after < 0 else after
        label = wire[at : at + length]
        size += length + 1
        if len(label) < length or size > _MAX_NAME_BYTES:
            raise ValueError("a name that is too long")
        labels.append(_label(label))
        at += length


def _label(label: bytes) -> str:
    """A label as zone files write it: what is not printable as \\DDD (RFC 1035, section 5.1)."""
    text = label.decode("latin-1")
    if text.isascii() and text.isprintable() and not set(text) & {".", "\\", " "}:
        return text
    return "".join(
        chr(byte) if 0x20 < byte < 0x7F and byte not in b".\\" else f"\\{byte:03d}"
        for byte in label
    )


def _read_record(wire: bytes, at: int) -> tuple[Record | None, int]:
    name, at = read_name(wire, at)
    kind, _, ttl_s, length = _record_tail(wire, at)
    at += 10
    end = at + length
    if end > len(wire):
        raise ValueError("a record that is cut off")
    if kind == _OPT:
        return None, end
    try:
        data = _data(wire, at, end, kind)
    except (IndexError, ValueError, struct.error):
        data = wire[at:end].hex(" ")
    return Record(name, _type(kind), ttl_s, data), end


def _data(wire: bytes, at: int, end: int, kind: int) -> str:
    """A record's data, in the format of zone files where that is short."""
    match TYPES.get(kind):
        case "A":
            return str(IPv4Address(wire[at:end]))
        case "AAAA":
            return str(IPv6Address(wire[at:end]))
        case "CNAME" | "NS" | "PTR" | "DNAME":
            return read_name(wire, at)[0]
        case "MX":
            (preference,) = struct.unpack_from("!H", wire, at)
            return f"{preference} {read_name(wire, at + 2)[0]}"
        case "SRV":
            priority, weight, port = struct.unpack_from("!HHH", wire, at)
            return f"{priority} {weight} {port} {read_name(wire, at + 6)[0]}"
        case "TXT":
            texts = []
            while at < end:
                texts.append(wire[at + 1 : at + 1 + wire[at]].decode("utf-8", "replace"))
                at += 1 + wire[at]
            return " ".join(f'"{text}"' for text in texts)
        case "SOA":
            primary, at = read_name(wire, at)
            contact, at = read_name(wire, at)
            numbers = struct.unpack_from("!IIIII", wire, at)
            return " ".join((primary, contact, *map(str, numbers)))
    return wire[at:end].hex(" ")


def _type(kind: int) -> str:
    return TYPES.get(kind, f"TYPE{kind}")


def _class(number: int) -> str:
    return _CLASSES.get(number, f"CLASS{number}")


def looks_like_dns(wire: bytes) -> bool:
    """Whether bytes are a DNS message: a head with plausible counts, and whole records.

    Strict, since any bytes could be a head: every section must be passed to the end.
    """
    if not HEAD_BYTES + 5 <= len(wire) <= 65_535:
        return False
    _, flags, questions, answers, authority, additional = _head(wire)
    opcode = (flags >> 11) & 0x0F
    if questions != 1 or opcode not in OPCODES or flags & 0x0040:
        return False
    if not flags & 0x8000 and (answers or flags & 0x000F) and opcode != 5:
        return False
    if max(answers, authority, additional) > MAX_RECORDS:
        return False
    try:
        at = _skip_name(wire, HEAD_BYTES)
        kind, class_ = _question_tail(wire, at)
        at += 4
        if class_ & 0x7FFF not in _CLASSES or not kind:
            return False
        for _ in range(answers + authority + additional):
            at = _skip_name(wire, at)
            at += 10 + _record_tail(wire, at)[3]
    except (IndexError, struct.error):
        return bool(flags & 0x0200)  # truncated: what is missing was not sent
    return at == len(wire)


def question_of(wire: bytes) -> bytes:
    """The question as it stands in the message, in lower case: query and answer share it.

    (Case may differ: resolvers choose it at random, so that answers are hard to forge.)
    """
    try:
        return wire[HEAD_BYTES : _skip_name(wire, HEAD_BYTES) + 4].lower()
    except IndexError:
        return b""


def _skip_name(wire: bytes, at: int) -> int:
    """Where a name ends, without reading it. Raises IndexError when it does not."""
    length = wire[at]
    while length:
        if length >= 0xC0:
            return at + 2
        at += length + 1
        length = wire[at]
    return at + 1

"""etcd's messages as protobuf: those few that a store needs, and of them only what it reads.

Field numbers are those of etcd's api/etcdserverpb/rpc.proto and api/mvccpb/kv.proto, the wire
format is protobuf's ("Encoding" in its documentation).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from pilotfish.objects.varint import encode_varint

RANGE: Final = "/etcdserverpb.KV/Range"
TXN: Final = "/etcdserverpb.KV/Txn"
DELETE_RANGE: Final = "/etcdserverpb.KV/DeleteRange"
COMPACT: Final = "/etcdserverpb.KV/Compact"
WATCH: Final = "/etcdserverpb.Watch/Watch"
LEASE_GRANT: Final = "/etcdserverpb.Lease/LeaseGrant"
# A stream; of one question and one answer it is a call.
LEASE_KEEP_ALIVE: Final = "/etcdserverpb.Lease/LeaseKeepAlive"
STATUS: Final = "/etcdserverpb.Maintenance/Status"

_VARINT, _LENGTH = 0, 2


class KeyValue(NamedTuple):
    """A key as it is at a revision; `revision` is its mod_revision."""

    key: bytes
    revision: int
    version: int
    value: bytes


class Found(NamedTuple):
    """The answer to a range request.

    Attributes:
        revision: etcd's revision at that time.
        more: whether a limit cut it short.
    """

    revision: int
    pairs: list[KeyValue]
    more: bool


class Outcome(NamedTuple):
    """The answer to a transaction; `found`: of the range requests that it made, in order."""

    revision: int
    succeeded: bool
    found: list[Found]


class Watched(NamedTuple):
    """A message of a watch.

    Attributes:
        revision: etcd's revision when it was sent.
        events: (key as it was put or deleted, whether it was deleted), in order.
        compacted: before which revision there is no history any more; 0: no trouble.
        canceled: whether the watch is over, and why.
    """

    revision: int
    events: list[tuple[KeyValue, bool]]
    created: bool
    canceled: bool
    compacted: int
    reason: str


def range_request(
    key: bytes, end: bytes = b"", *, limit: int = 0, revision: int = 0, keys_only: bool = False
) -> bytes:
    """Read a key, or the keys from `key` to before `end`; at a revision, or what is newest."""
    return (
        _bytes(1, key)
        + _bytes(2, end)
        + _number(3, limit)
        + _number(4, revision)
        + _number(8, keys_only)
    )


def put_request(key: bytes, value: bytes, lease: int = 0) -> bytes:
    """Write a key; with a lease, until that ends."""
    return _bytes(1, key) + _bytes(2, value) + _number(3, lease)


def delete_request(key: bytes, end: bytes = b"") -> bytes:
    """Delete a key, or the keys from `key` to before `end`."""
    return _bytes(1, key) + _bytes(2, end)


def unchanged_since(key: bytes, revision: int) -> bytes:
    """A comparison: the key was last written at that revision; 0: there is none."""
    return b"\x10\x02" + _bytes(3, key) + b"\x30" + encode_varint(revision)


def is_version(key: bytes, version: int) -> bytes:
    """A comparison: the key was written so often since it is there."""
    return _bytes(3, key) + b"\x20" + encode_varint(version)


def transaction(
    comparisons: Iterable[bytes], then: Iterable[bytes], otherwise: Iterable[bytes]
) -> bytes:
    """Do `then` if all comparisons hold, else do `otherwise`; both are lists of operations."""
    return b"".join(
        (
            *(_bytes(1, each) for each in comparisons),
            *(_bytes(2, each) for each in then),
            *(_bytes(3, each) for each in otherwise),
        )
    )


def ranging(request: bytes) -> bytes:
    """A range request as an operation of a transaction."""
    return _bytes(1, request)


def putting(key: bytes, value: bytes, lease: int = 0) -> bytes:
    """A put as an operation of a transaction."""
    return _bytes(2, put_request(key, value, lease))


def deleting(key: bytes) -> bytes:
    """A deletion as an operation of a transaction."""
    return _bytes(3, delete_request(key))


def compaction_request(revision: int) -> bytes:
    """Forget the history before a revision."""
    return _number(1, revision)


def lease_request(seconds: int) -> bytes:
    """Ask for a lease that ends after so long without renewal."""
    return _number(1, seconds)


def keep_alive_request(lease: int) -> bytes:
    """Renew a lease."""
    return _number(1, lease)


def watch_request(key: bytes, end: bytes, start: int) -> bytes:
    """Watch the keys from `key` to before `end`, from a revision on, that included.

    Now and then, when nothing happens, etcd says how far it has come.
    """
    return _bytes(1, _bytes(1, key) + _bytes(2, end) + _number(3, start) + _number(4, True))


def read_found(data: bytes) -> Found:
    """Decode the answer to `range_request`."""
    revision, pairs, more = 0, [], False
    for number, value in _fields(data):
        if number == 1:
            revision = _revision_of(value)
        elif number == 2:
            pairs.append(_read_pair(value))
        elif number == 3:
            more = bool(value)
    return Found(revision, pairs, more)


def read_outcome(data: bytes) -> Outcome:
    """Decode the answer to `transaction`."""
    revision, succeeded, found = 0, False, []
    for number, value in _fields(data):
        if number == 1:
            revision = _revision_of(value)
        elif number == 2:
            succeeded = bool(value)
        elif number == 3:
            found += [
                read_found(_as_bytes(inner))
                for kind, inner in _fields(_as_bytes(value))
                if kind == 1
            ]
    return Outcome(revision, succeeded, found)


def read_watched(data: bytes) -> Watched:
    """Decode a message of a watch."""
    revision = compacted = 0
    events: list[tuple[KeyValue, bool]] = []
    created = canceled = False
    reason = ""
    for number, value in _fields(data):
        match number:
            case 1:
                revision = _revision_of(value)
            case 3:
                created = bool(value)
            case 4:
                canceled = bool(value)
            case 5:
                compacted = _as_number(value)
            case 6:
                reason = _as_bytes(value).decode()
            case 11:
                event = dict(_fields(_as_bytes(value)))
                events.append((_read_pair(event[2]), bool(event.get(1))))
    return Watched(revision, events, created, canceled, compacted, reason)


def read_deleted(data: bytes) -> int:
    """Decode the answer to `delete_request`: how many keys there were."""
    return _as_number(dict(_fields(data)).get(2, 0))


def read_lease(data: bytes) -> int:
    """Decode the answer to `lease_request`: the lease's number."""
    return _as_number(dict(_fields(data)).get(2, 0))


def read_time_left(data: bytes) -> int:
    """Decode the answer to `keep_alive_request`: seconds; 0 when the lease has ended."""
    return _as_number(dict(_fields(data)).get(3, 0))


def read_version(data: bytes) -> str:
    """Decode the answer to a status request: etcd's version."""
    return _as_bytes(dict(_fields(data)).get(2, b"")).decode()


def _read_pair(data: int | bytes) -> KeyValue:
    fields = dict(_fields(_as_bytes(data)))
    return KeyValue(
        _as_bytes(fields.get(1, b"")),
        _as_number(fields.get(3, 0)),
        _as_number(fields.get(4, 0)),
        _as_bytes(fields.get(5, b"")),
    )


def _revision_of(header: int | bytes) -> int:
    return next((_as_number(v) for number, v in _fields(_as_bytes(header)) if number == 3), 0)


def _as_number(value: int | bytes) -> int:
    if not isinstance(value, int):
        raise ValueError("a number was expected")
    return value


def _as_bytes(value: int | bytes) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError("a message was expected")
    return value


def _number(field: int, value: int) -> bytes:
    return bytes((field << 3 | _VARINT,)) + encode_varint(value) if value else b""


def _bytes(field: int, value: bytes) -> bytes:
    if not value and field != 1:
        return b""
    return bytes((field << 3 | _LENGTH,)) + encode_varint(len(value)) + value


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message; raises ValueError for what is none.

    Nearly all tags and lengths are of one byte; those are read without a call.
    """
    position, end = 0, len(data)
    try:
        while position < end:
            tag = data[position]
            position += 1
            if tag > 0x7F:
                tag, position = _read_varint(data, position - 1)
            kind = tag & 7
            if kind not in (_VARINT, _LENGTH):
                position += {1: 8, 5: 4}.get(kind, end)
                continue
            value = data[position]
            position += 1
            if value > 0x7F:
                value, position = _read_varint(data, position - 1)
            if kind == _VARINT:
                yield tag >> 3, value
                continue
            if position + value > end:
                raise ValueError("a field is cut off")
            yield tag >> 3, data[position : position + value]
            position += value
    except IndexError:
        raise ValueError("a number is cut off") from None


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if shift > 63:
            raise ValueError("a number is too long")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7

"""The compiled zones: for every question that has an answer, the answer's bytes. Pure.

Sources (a Service, a namespace, the zone itself) say which records they have; each change
compiles the answers of the names it touches and of no others. To answer is then a look-up with
the question's own bytes, lower-cased (see `answers`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pilotfish.dns import wire
from pilotfish.dns.records import EXISTS, Data, Records, record_key, soa_data

_TYPE_AND_CLASS = 4  # bytes at the end of a key
_MAX_WORKED_OUT = 10_000  # names come from outside: a flood of them must not fill the memory


@dataclass(slots=True)
class Answer:
    """The sections of an answer, ready for any question of its name and type."""

    rcode: int
    counts: bytes  # answers, authorities, additionals: 16 bits each
    body: bytes
    rotation: int = 0  # bytes of one record, where a body of equal records is to be rotated
    turn: int = 0

    def next_body(self) -> bytes:
        """The body; records of several addresses begin with another one each time."""
        if not self.rotation:
            return self.body
        self.turn = (self.turn + self.rotation) % len(self.body)
        return self.body[self.turn :] + self.body[: self.turn]

    def sections(self) -> list[list[bytes]]:
        """The records of the three sections, taken apart."""
        found: list[list[bytes]] = []
        body = self.next_body()
        offset = 0
        for at in (0, 2, 4):
            section = []
            for _ in range(int.from_bytes(self.counts[at : at + 2], "big")):
                end = wire.read_record(body, offset).end
                section.append(body[offset:end])
                offset = end
            found.append(section)
        return found


def compile_answer(
    answers: Sequence[bytes] = (),
    authorities: Sequence[bytes] = (),
    additionals: Sequence[bytes] = (),
    rcode: int = wire.NOERROR,
    rotate: bool = False,
) -> Answer:
    """An answer of whole records."""
    sections = answers, authorities, additionals
    counts = b"".join(len(section).to_bytes(2, "big") for section in sections)
    body = b"".join(record for section in sections for record in section)
    rotation = len(answers[0]) if rotate and len(answers) > 1 else 0
    return Answer(rcode, counts, body, rotation)


@dataclass(frozen=True)
class Negative:
    """The two ways to say no, with the SOA that says how long to remember it (RFC 2308)."""

    no_data: Answer
    no_name: Answer


class Zones:
    """Answers for the cluster's zones, forward and reverse.

    `ready` is what a question's lower-cased name, type and class find at once. `worked_out` holds
    in the same way what a search found out since the last change: above all that a name of a
    resolver's search list does not exist.
    """

    def __init__(self, ttl_s: int = 5) -> None:
        self.ready: dict[bytes, Answer] = {}
        self.worked_out: dict[bytes, Answer] = {}
        self.ttl_s = ttl_s
        self._sources: dict[str, Records] = {}
        self._owners: dict[bytes, tuple[str, ...]] = {}  # key → the sources that have it
        self._names: dict[bytes, int] = {}  # name → how many keys are at or below it
        self._negative: dict[bytes, Negative] = {}

    def add_origin(self, origin: str, name_server: str) -> None:
        """Take authority for everything under a name."""
        owner = wire.encode_name(origin)
        soa = wire.record(owner, wire.SOA, self.ttl_s, soa_data(origin, name_server))
        self._negative[owner] = Negative(
            compile_answer(authorities=[soa]),
            compile_answer(authorities=[soa], rcode=wire.NXDOMAIN),
        )

    def replace(self, source: str, records: Records) -> None:
        """Set what a source has; without records it is forgotten."""
        self.worked_out.clear()
        old = self._sources.pop(source, {})
        if records:
            self._sources[source] = records
        for key in old.keys() - records.keys():
            rest = tuple(one for one in self._owners[key] if one != source)
            if rest:
                self._owners[key] = rest
            else:
                del self._owners[key]
                self._count(key, -1)
        for key in records.keys() - old.keys():
            if key in self._owners:
                self._owners[key] += (source,)
            else:
                self._owners[key] = (source,)
                self._count(key, 1)
        # Data that names a target carries the target's addresses along, so that it is compiled
        # again although it did not change itself.
        changed = [
            key
            for key in old.keys() | records.keys()
            if old.get(key) != records.get(key) or any(data.target for data in records.get(key, ()))
        ]
        for key in changed:
            self._compile(key)

    def remember(self, key: bytes, answer: Answer) -> None:
        """Keep what a search found out, until the next change."""
        if len(self.worked_out) >= _MAX_WORKED_OUT:
            self.worked_out.clear()
        self.worked_out[key] = answer

    def data(self, name: bytes, kind: int) -> tuple[Data, ...]:
        """The data that all sources have for a name and type, in the sources' order."""
        return self._data(record_key(name, kind))

    def has_name(self, name: bytes) -> bool:
        """Whether a name exists: it has records, or something below it has."""
        return name in self._names

    def negative(self, name: bytes) -> Negative | None:
        """How to say no to a name; None for a name outside the zones."""
        for ancestor in wire.ancestors(name):
            found = self._negative.get(ancestor)
            if found:
                return found
        return None

    def records(self, name: bytes, kind: int, owner: bytes) -> list[bytes]:
        """The whole records of a name and type, under the owner as it shall be written."""
        return [wire.record(owner, kind, self.ttl_s, data.data) for data in self.data(name, kind)]

    def _compile(self, key: bytes) -> None:
        if key not in self._owners:
            self.ready.pop(key, None)
            return
        name, kind = key[:-_TYPE_AND_CLASS], int.from_bytes(key[-4:-2], "big")
        if kind == EXISTS:
            return
        self.ready[key] = compile_answer(
            self.records(name, kind, wire.QUESTION_NAME),
            additionals=self._addresses(data.target for data in self._data(key)),
            rotate=kind in (wire.A, wire.AAAA),
        )

    def _addresses(self, names: Iterable[bytes]) -> list[bytes]:
        return [
            record
            for name in dict.fromkeys(names)
            if name
            for kind in (wire.A, wire.AAAA)
            for record in self.records(name, kind, name)
        ]

    def _data(self, key: bytes) -> tuple[Data, ...]:
        owners = self._owners.get(key, ())
        if len(owners) == 1:
            return self._sources[owners[0]][key]
        merged = (data for source in owners for data in self._sources[source][key])
        return tuple(dict.fromkeys(merged))

    def _count(self, key: bytes, change: int) -> None:
        for name in wire.ancestors(key[:-_TYPE_AND_CLASS]):
            count = self._names.get(name, 0) + change
            if count:
                self._names[name] = count
            else:
                del self._names[name]

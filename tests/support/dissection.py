"""Conversations for the tap's dissectors: said byte by byte, and what comes of them."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from pilotfish.tap import protocols
from pilotfish.tap.connection import CLIENT, SERVER, Connection
from pilotfish.tap.conversation import Context, Conversation
from pilotfish.tap.exchange import Exchange
from pilotfish.tap.key_log import KeyLog

Said = tuple[int, bytes]


def context_of(
    connection: Connection, exchanges: list[Exchange], keys: KeyLog | None = None
) -> Context:
    """A context that collects exchanges."""
    return Context(exchanges.append, connection, protocols, keys)


class Wire:
    """A connection whose protocol is found out, and what was emitted."""

    def __init__(self, keys: KeyLog | None = None) -> None:
        self.exchanges: list[Exchange] = []
        self.connection = Connection(b"\x0a\0\0\1", 40000, b"\x0a\0\0\2", 80, 0.0)
        self.connection.whole = True
        context = context_of(self.connection, self.exchanges, keys)
        self.connection.listener = Conversation(self.connection, context)
        self._time_s = 0.0

    def say(self, *conversation: Said) -> Wire:
        """Say things, a millisecond apart."""
        for side, payload in conversation:
            self._time_s += 0.001
            self.connection.listener.data(side, payload, self._time_s)
        return self

    def lose(self, side: int, missing: int) -> Wire:
        """Lose bytes that a side said."""
        self.connection.listener.gap(side, missing, self._time_s)
        return self

    def end(self, how: str = "closed") -> Wire:
        """End the connection."""
        if how == "closed":
            self.connection.listener.closed(CLIENT, self._time_s)
            self.connection.listener.closed(SERVER, self._time_s)
        self.connection.listener.ended(how, self._time_s)
        return self

    @property
    def requests(self) -> list[dict[str, Any]]:
        """What was asked."""
        return [each.request.fields() for each in self.exchanges if each.request is not None]

    @property
    def responses(self) -> list[dict[str, Any]]:
        """What was answered."""
        return [each.response.fields() for each in self.exchanges if each.response is not None]

    def seen(self) -> list[object]:
        """All exchanges, without times."""
        return [
            (
                each.protocol,
                each.request and each.request.fields(),
                each.response and each.response.fields(),
                each.failure,
            )
            for each in self.exchanges
        ]


def seen(conversation: Iterable[Said], keys: KeyLog | None = None) -> list[object]:
    """The exchanges of a conversation that ends well."""
    return Wire(keys).say(*conversation).end().seen()


def assert_splitting_changes_nothing(conversation: list[Said], keys: KeyLog | None = None) -> None:
    """Every way to split one message in two, and all of them into single bytes."""
    whole = seen(conversation, keys)
    assert whole
    for index, (side, payload) in enumerate(conversation):
        for at in range(1, len(payload)):
            parts = [(side, payload[:at]), (side, payload[at:])]
            split = [*conversation[:index], *parts, *conversation[index + 1 :]]
            assert seen(split, keys) == whole, f"message {index} split at {at}"
    crumbs = [(side, bytes((byte,))) for side, payload in conversation for byte in payload]
    assert seen(crumbs, keys) == whole


def assert_mutations_do_no_harm(
    conversation: list[Said], seed: int, keys: KeyLog | None = None
) -> None:
    """Change, cut, repeat, lose and swap parts of a conversation: nothing may raise."""
    chance = random.Random(seed)
    said = [(side, bytearray(payload)) for side, payload in conversation]
    for _ in range(chance.randint(1, 8)):
        if not said:
            break
        index = chance.randrange(len(said))
        side, payload = said[index]
        match chance.randrange(6):
            case 0 if payload:
                payload[chance.randrange(len(payload))] = chance.randrange(256)
            case 1:
                del payload[chance.randrange(len(payload) + 1) :]
            case 2:
                said.insert(index, (1 - side, bytearray(payload)))
            case 3:
                del said[index]
            case 4:
                at = chance.randrange(len(payload) + 1)
                payload[at:at] = chance.randbytes(chance.randint(1, 40))
            case 5:
                said.insert(index, (side, bytearray(b"\xff" * chance.randint(1, 9))))
    wire = Wire(keys)
    for side, payload in said:
        if chance.random() < 0.1:
            wire.lose(side, chance.randint(1, 100))
        at = chance.randrange(len(payload) + 1)
        wire.say((side, bytes(payload[:at])), (side, bytes(payload[at:])))
    wire.end(chance.choice(("closed", "reset", "lost")))
    wire.seen()

"""PostgreSQL: log-ins, simple and extended queries, COPY and notifications.

PostgreSQL documentation, "Message Flow". A statement and its outcome are one
exchange; a batch up to a Sync may hold several. Passwords are never kept.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Any

from pilotfish.tap.connection import CLIENT, SERVER, Connection, End
from pilotfish.tap.conversation import Context
from pilotfish.tap.dissectors import postgresql_messages as messages
from pilotfish.tap.dissectors.postgresql_messages import (
    BrokenStream,
    MessageReader,
    PgMessage,
    look_like_requests,
    strings,
)
from pilotfish.tap.exchange import Exchange
from pilotfish.tap.memory import PIECE_BYTES

MAX_WAITING = 10_000
# Of all statements that wait for their outcome.
MAX_WAITING_BYTES = 4 * 1024 * 1024
MAX_STATEMENTS = 1000
MAX_PORTALS = 50
MAX_STATEMENT_BYTES = 1 << 20
MAX_PARAMETERS = 100
MAX_COMMANDS = 100
_MAX_STARTUP_BYTES = 10_000
_MAX_TAG_CHARS = 200
# GSS and TLS, and each once more for another version.
_MAX_ENCRYPTION_REQUESTS = 4


NAMES = ("postgresql",)


def recognise(client: bytes, server: bytes) -> bool | None:
    """Whether this is PostgreSQL by the first bytes of both sides; None: too few to say."""
    if not client:
        return None if not server else False
    if client[:2] != b"\0\0":
        return look_like_requests(client) if len(client) > 1 or client != b"\0" else None
    if len(client) < 8:
        return None
    length, code = int.from_bytes(client[:4], "big"), int.from_bytes(client[4:8], "big")
    if code in (messages.SSL, messages.GSS):
        return length == 8
    if code == messages.CANCEL:
        return 16 <= length <= 272
    return code >> 16 == 3 and 8 < length <= _MAX_STARTUP_BYTES


def make(connection: Connection, context: Context) -> Postgresql:
    """The dissector of a connection that was recognised."""
    return Postgresql(connection, context)


class Statement:
    """A request: a log-in, a statement, or another thing that the server is asked for.

    Attributes:
        method: "STARTUP", "SELECT", "COPY", …
        query: the SQL text.
        parameters: what was bound to it.
        settings: of a log-in: user, database, and so on.
        size: bytes on the wire.
        copied: bytes of COPY data that the client sent.
        ends_batch: the server tells when it is ready for more after this one.
    """

    __slots__ = (
        "asked_s",
        "copied",
        "ends_batch",
        "method",
        "parameters",
        "query",
        "settings",
        "size",
    )

    def __init__(self, method: str, query: str, size: int, asked_s: float) -> None:
        self.method = method
        self.query = query
        self.parameters: list[str | None] = []
        self.settings: dict[str, str] = {}
        self.size = size
        self.copied = 0
        self.ends_batch = False
        self.asked_s = asked_s

    @property
    def kept(self) -> int:
        """Bytes of it that are in memory, about."""
        return len(self.query) + sum(len(each or "") for each in self.parameters)

    def fields(self) -> dict[str, Any]:
        """What is asked, as JSON values."""
        said: dict[str, Any] = {"method": self.method, "query": self.query, "size": self.size}
        if self.parameters:
            said["parameters"] = self.parameters
        if self.settings:
            said |= {
                "user": self.settings.get("user", ""),
                "database": self.settings.get("database", self.settings.get("user", "")),
                "settings": self.settings,
            }
        if self.copied:
            said["copied_bytes"] = self.copied
        return said


class Outcome:
    """What a statement led to.

    Attributes:
        rows: data rows, or rows of COPY data.
        columns: their names.
        commands: tags of what was done: "SELECT 3".
        error: the error's fields by letter; empty without one.
        size: bytes on the wire.
        begun_s: when its first byte was seen.
        notification: (channel, payload) of a NOTIFY.
    """

    __slots__ = ("begun_s", "columns", "commands", "error", "notification", "rows", "size")

    def __init__(self, begun_s: float) -> None:
        self.begun_s = begun_s
        self.rows = self.size = 0
        self.columns: list[str] = []
        self.commands: list[str] = []
        self.error: dict[str, str] = {}
        self.notification: tuple[str, str] | None = None

    def fields(self) -> dict[str, Any]:
        """What came of it, as JSON values; `status` is "OK" or the SQLSTATE."""
        said: dict[str, Any] = {
            "status": self.error.get("C", "OK"),
            "error": bool(self.error),
            "rows": self.rows,
            "columns": self.columns,
            "commands": self.commands,
            "size": self.size,
        }
        if self.error:
            said |= {
                "error_code": self.error.get("C", ""),
                "severity": self.error.get("V", self.error.get("S", "")),
                "error_message": self.error.get("M", ""),
            }
        if self.notification:
            said["channel"], said["payload"] = self.notification
        return said


class Postgresql:
    """The dissector of one connection."""

    name = "postgresql"

    def __init__(self, connection: Connection, context: Context) -> None:
        self._connection = connection
        self._context = context
        self._first = connection.whole
        self._readers: tuple[MessageReader, MessageReader] | None = None
        self._waiting: deque[Statement] = deque()
        self._waiting_bytes = 0
        self._outcome: Outcome | None = None
        # The client asked for encryption, and the server has not said yes or no.
        self._asks_encryption = False
        self._encryption_requests = 0
        self._lost = [False, False]
        self._prepared: OrderedDict[str, str] = OrderedDict()
        self._prepared_bytes = 0
        self._portals: OrderedDict[str, tuple[str, list[str | None]]] = OrderedDict()
        # Of the batch that is being asked for: whether something is executed, what is prepared.
        self._executes = False
        self._parsed: Statement | None = None

    @property
    def kept(self) -> int:
        """Statements that wait or are prepared, and what is being read."""
        read = sum(reader.kept for reader in self._readers or ())
        portals = sum(
            len(query) + sum(PIECE_BYTES + len(each or "") for each in parameters)
            for query, parameters in self._portals.values()
        )
        count = 4 * len(self._waiting) + len(self._prepared) + len(self._portals)
        return read + portals + self._waiting_bytes + self._prepared_bytes + count * PIECE_BYTES

    def opened(self, time_s: float) -> None:
        """Nothing to do: the connection knows when it was opened."""

    def data(self, side: int, payload: bytes, time_s: float) -> None:
        """Take the next bytes of one side."""
        if self._readers is None:
            begins = payload[:1] == b"\0" and side == CLIENT
            self._readers = (MessageReader(True, begins), MessageReader(False, False))
        if side == SERVER and self._asks_encryption:
            self._asks_encryption = False
            if payload[:1] in (b"S", b"G"):
                self._context.begin_anew(self._connection)
                if payload[1:]:
                    self._context.place.listener.data(side, payload[1:], time_s)
                return
            payload = payload[payload[:1] == b"N" :]
        if self._lost[side] and not self._found(side, payload):
            return
        rest = payload
        while rest:
            try:
                found, rest = self._readers[side].feed(rest)
                for message in found:
                    if side == CLIENT:
                        self._asked(message, time_s)
                    else:
                        self._answered(message, time_s)
            except BrokenStream:
                self._lose(side)
                return

    def gap(self, side: int, missing: int, time_s: float) -> None:  # noqa: ARG002 (Listener)
        """Bytes were lost, and with them the place."""
        self._lose(side)

    def closed(self, side: int, time_s: float) -> None:
        """The other side may still speak."""

    def ended(self, how: End, time_s: float) -> None:
        """Whoever waits for an outcome gets none, or not all of it."""
        while self._waiting:
            self._finish(time_s, how)

    def _found(self, side: int, payload: bytes) -> bool:
        """Whether messages begin again with these bytes."""
        if side == CLIENT and not look_like_requests(payload):
            return False
        if side == SERVER and not (
            len(payload) > 5 and chr(payload[0]) in "TCEZ12" and not payload[1]
        ):
            return False
        self._lost[side] = False
        return True

    def _lose(self, side: int) -> None:
        self._lost[side] = True
        readers = self._readers or (MessageReader(True, False), MessageReader(False, False))
        fresh = MessageReader(side == CLIENT, False)
        self._readers = (fresh, readers[SERVER]) if side == CLIENT else (readers[CLIENT], fresh)
        while self._waiting:
            self._finish(self._waiting[0].asked_s, "lost")

    # What the client says

    def _asked(self, message: PgMessage, time_s: float) -> None:
        payload = message.payload
        match message.kind:
            case "":
                self._untyped(message, time_s)
            case "Q":
                (query,), _ = strings(payload, 1)
                self._ask(Statement(_verb(query), query, message.size, time_s), ends_batch=True)
            case "P":
                (name, query), _ = strings(payload, 2)
                self._prepare(name, query)
                self._parsed = Statement("PREPARE", query, message.size, time_s)
            case "B":
                (portal, name), at = strings(payload, 2)
                query = self._prepared.get(name, "")
                parameters = messages.bind_parameters(payload, at, MAX_PARAMETERS)
                self._portals[portal] = (query, parameters)
                if len(self._portals) > MAX_PORTALS:
                    self._portals.popitem(last=False)
            case "E":
                self._execute(payload, message.size, time_s)
            case "S":
                self._sync(message, time_s)
            case "d":
                if self._waiting:
                    self._waiting[-1].copied += message.size - 5
                    self._waiting[-1].size += message.size
            case "F":
                self._ask(Statement("CALL", "", message.size, time_s), ends_batch=True)

    def _untyped(self, message: PgMessage, time_s: float) -> None:
        code = int.from_bytes(message.payload[:4], "big")
        if code in (messages.SSL, messages.GSS):
            self._asks_encryption = True
            self._encryption_requests += 1
            if self._encryption_requests > _MAX_ENCRYPTION_REQUESTS:
                raise BrokenStream("encryption is asked for again and again")
            return
        assert self._readers is not None
        self._readers[CLIENT].untyped = False
        if code == messages.CANCEL:
            statement = Statement("CANCEL", "", message.size, time_s)
        else:
            statement = Statement("STARTUP", "", message.size, time_s)
            statement.settings = messages.startup_parameters(message.payload)
        self._ask(statement, ends_batch=True)

    def _execute(self, payload: bytes, size: int, time_s: float) -> None:
        (portal,), _ = strings(payload, 1)
        query, parameters = self._portals.get(portal, ("", []))
        begun_s = self._parsed.asked_s if self._parsed else time_s
        statement = Statement(_verb(query), query, size, begun_s)
        statement.parameters = parameters
        if self._parsed is not None:
            statement.size += self._parsed.size
        self._executes, self._parsed = True, None
        self._ask(statement, ends_batch=False)

    def _sync(self, message: PgMessage, time_s: float) -> None:
        if self._parsed is not None and not self._executes:
            self._ask(self._parsed, ends_batch=True)
        else:
            # The batch ends after what was asked for last; or it is empty.
            sync = Statement("SYNC", "", message.size, time_s)
            self._ask(sync, ends_batch=True)
        self._executes, self._parsed = False, None

    def _prepare(self, name: str, query: str) -> None:
        self._prepared_bytes += len(query) - len(self._prepared.pop(name, ""))
        self._prepared[name] = query
        while len(self._prepared) > MAX_STATEMENTS or self._prepared_bytes > MAX_STATEMENT_BYTES:
            self._prepared_bytes -= len(self._prepared.popitem(last=False)[1])

    def _ask(self, statement: Statement, ends_batch: bool) -> None:
        statement.ends_batch = ends_batch
        self._waiting.append(statement)
        self._waiting_bytes += statement.kept
        while len(self._waiting) > MAX_WAITING or self._waiting_bytes > MAX_WAITING_BYTES:
            self._finish(statement.asked_s, "lost")

    # What the server says

    def _answered(self, message: PgMessage, time_s: float) -> None:
        payload = message.payload
        if message.kind == "A":
            self._notified(message, time_s)
            return
        if not self._waiting:
            if message.kind == "E":
                self._ended_unasked(message, time_s)
            return  # a notice or a changed setting, about nothing that was asked
        outcome = self._outcome
        if outcome is None:
            outcome = self._outcome = Outcome(time_s)
        outcome.size += message.size
        match message.kind:
            case "T":
                outcome.columns = messages.column_names(payload)
            case "D" | "d":
                outcome.rows += 1
            case "C":
                (tag,), _ = strings(payload, 1)
                if len(outcome.commands) < MAX_COMMANDS:
                    outcome.commands.append(tag[:_MAX_TAG_CHARS])
                self._executed(time_s)
            case "I" | "s":
                self._executed(time_s)
            case "E":
                outcome.error = messages.error_fields(payload)
                # No Sync follows a log-in that failed, and nothing of the batch is executed.
                if self._waiting and (
                    not self._waiting[0].ends_batch or self._waiting[0].method == "STARTUP"
                ):
                    self._finish(time_s)
            case "Z":
                self._ready(time_s)

    def _executed(self, time_s: float) -> None:
        """An Execute is through; a simple query may hold several commands, and goes on."""
        if self._waiting and not self._waiting[0].ends_batch:
            self._finish(time_s)

    def _ready(self, time_s: float) -> None:
        """The batch is through: what was not executed was skipped after an error."""
        while self._waiting:
            last = self._waiting[0].ends_batch
            self._finish(time_s, "" if last else "skipped")
            if last:
                return
        self._outcome = None

    def _ended_unasked(self, message: PgMessage, time_s: float) -> None:
        """An error that answers nothing: the server ends the session, and says why."""
        outcome = Outcome(time_s)
        outcome.size, outcome.error = message.size, messages.error_fields(message.payload)
        self._tell(None, time_s, outcome, time_s, "")

    def _notified(self, message: PgMessage, time_s: float) -> None:
        (channel, text), _ = strings(message.payload[4:], 2)
        outcome = Outcome(time_s)
        outcome.size, outcome.notification = message.size, (channel, text)
        self._tell(None, time_s, outcome, time_s, "")

    def _finish(self, time_s: float, failure: str = "") -> None:
        statement = self._waiting.popleft()
        self._waiting_bytes -= statement.kept
        outcome, self._outcome = self._outcome, None
        if statement.method != "SYNC":
            self._tell(statement, statement.asked_s, outcome, time_s, failure)

    def _tell(
        self,
        statement: Statement | None,
        asked_s: float,
        outcome: Outcome | None,
        end_s: float,
        failure: str,
    ) -> None:
        exchange = Exchange("postgresql", self._connection, statement, asked_s, failure=failure)
        if outcome is not None:
            exchange.response, exchange.response_s = outcome, outcome.begun_s
        exchange.end_s = end_s
        exchange.first, self._first = self._first, False
        self._context.emit(exchange)


def _verb(query: str) -> str:
    """The first word of a statement, behind its comments."""
    text = query[:1000].lstrip(" \t\r\n(;")
    while text.startswith(("--", "/*")):
        text = text.partition("\n" if text.startswith("--") else "*/")[2].lstrip(" \t\r\n(;")
    word = ""
    for character in text:
        if not character.isalpha():
            break
        word += character
    return word.upper()[:32]

"""TLS: the handshake as an exchange; and, where a key log has the secrets, what is said inside.

RFC 8446 and RFC 5246. What is inside is recognised like everything else, so
HTTP in TLS is HTTP; without secrets only the handshake tells something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilotfish.tap.connection import CLIENT, SERVER, Connection, End, Listener
from pilotfish.tap.conversation import Context, Conversation
from pilotfish.tap.dissectors.pending import Pending
from pilotfish.tap.dissectors.tls_hello import (
    HANDSHAKE,
    TLS_1_3,
    ClientHello,
    ServerHello,
    UnknownKeys,
    alert_name,
)
from pilotfish.tap.exchange import Exchange
from pilotfish.tap.memory import PIECE_BYTES

if TYPE_CHECKING:
    from pilotfish.tap.dissectors.tls_decrypt import Decryptor

# RFC 8446, section 5.2: 2¹⁴ bytes, and what encryption may add; TLS 1.2 allows 2048.
MAX_RECORD_BYTES = (1 << 14) + 2048
MAX_HANDSHAKE_BYTES = 128 * 1024
# Records that wait for their secrets to be written, and how often is asked for them.
MAX_WAITING_BYTES = 256 * 1024
MAX_WAITING_RECORDS = 64

_CHANGE_CIPHER, _ALERT, _APPLICATION = 20, 21, 23
_RECORD_KINDS = frozenset((_CHANGE_CIPHER, _ALERT, HANDSHAKE, _APPLICATION))
_CLIENT_HELLO, _SERVER_HELLO, _FINISHED, _KEY_UPDATE = 1, 2, 20, 24


NAMES = ("tls",)


def recognise(client: bytes, server: bytes) -> bool | None:
    """Whether this is TLS by the first bytes of both sides; None: too few to say."""
    said = client or server
    if not said:
        return None
    if said[0] == HANDSHAKE:
        if len(said) < 6:
            return None if said[1:2] in (b"", b"\x03") else False
        begins = said[5] == (_CLIENT_HELLO if client else _SERVER_HELLO)
        return begins and _is_head(said)
    # The middle of a connection: nothing but encrypted data is to come.
    if said[0] == _APPLICATION and len(said) < 5:
        return None
    return said[0] == _APPLICATION and _is_head(said)


def make(connection: Connection, context: Context) -> Tls:
    """The dissector of a connection that was recognised."""
    return Tls(connection, context)


def _is_head(said: bytes) -> bool:
    length = (said[3] << 8) | said[4]
    return said[1] == 3 and said[2] <= 4 and 0 < length <= MAX_RECORD_BYTES


class _Inside:
    """The place of who understands the plain text."""

    listener: Listener


class _Side:
    """What one side sends."""

    __slots__ = ("encrypted", "handshake", "pending")

    def __init__(self) -> None:
        self.pending = Pending()
        self.handshake = Pending()  # part of a handshake message that goes over records
        self.encrypted = False


class Tls:
    """The dissector of one connection."""

    name = "tls"

    def __init__(self, connection: Connection, context: Context) -> None:
        self._connection = connection
        self._context = context
        self._sides = (_Side(), _Side())
        self._client: ClientHello | None = None
        self._server: ServerHello | None = None
        self._hello_s = [0.0, 0.0]
        self._told = False
        self._deaf = False  # nothing more can be understood
        self._decryptor: Decryptor | None = None
        self._waiting: list[tuple[int, int, bytes, float]] = []
        self._waiting_bytes = 0
        self._inside: _Inside | None = None

    @property
    def kept(self) -> int:
        """Records that wait for their secrets, and what is being read."""
        sides = sum(len(side.pending) + len(side.handshake) for side in self._sides)
        hellos = sum(len(hello.body) for hello in (self._client, self._server) if hello)
        inside = self._inside.listener.kept if self._inside else 0
        return sides + hellos + inside + sum(PIECE_BYTES + len(each[2]) for each in self._waiting)

    def opened(self, time_s: float) -> None:
        """Nothing to do: the connection knows when it was opened."""

    def data(self, side: int, payload: bytes, time_s: float) -> None:
        """Take the next bytes of one side."""
        if self._deaf:
            return
        this = self._sides[side]
        data = this.pending.take(payload)
        at, need = 0, 5
        while len(data) - at >= 5:
            if data[at] not in _RECORD_KINDS or not _is_head(data[at : at + 5]):
                self._stop(time_s, "")
                return
            end = at + 5 + ((data[at + 3] << 8) | data[at + 4])
            if len(data) < end:
                need = end - at
                break
            self._record(side, data[at], data[at + 5 : end], time_s)
            if self._deaf:
                return
            at = end
        if at < len(data):
            this.pending.keep(data[at:], need)

    def gap(self, side: int, missing: int, time_s: float) -> None:
        """Bytes were lost: records are numbered, so no later one can be decrypted."""
        if self._deaf:
            return
        if self._inside is not None:
            self._inside.listener.gap(side, missing, time_s)
        self._stop(time_s, "lost")

    def closed(self, side: int, time_s: float) -> None:
        """A side sends no more."""
        if self._inside is not None:
            self._inside.listener.closed(side, time_s)

    def ended(self, how: End, time_s: float) -> None:
        """A handshake that is not through has failed."""
        self._tell(time_s, how)
        if self._inside is not None:
            self._inside.listener.ended(how, time_s)

    def _stop(self, time_s: float, failure: str) -> None:
        self._deaf = True
        self._waiting.clear()
        for side in self._sides:
            side.pending.clear()
            side.handshake.clear()
        self._tell(time_s, failure)

    def _record(self, side: int, kind: int, body: bytes, time_s: float) -> None:
        this = self._sides[side]
        if kind == _CHANGE_CIPHER:
            # TLS 1.3 sends it for the sake of old middleboxes; it means nothing there.
            this.encrypted = this.encrypted or not self._is_1_3
        elif not (this.encrypted or kind == _APPLICATION):
            self._plain(side, kind, body, time_s)
        else:
            through = side == CLIENT or not self._is_1_3
            if (
                self._server is not None
                and (kind == _APPLICATION or self._both_encrypt)
                and through
            ):
                self._tell(time_s, "")
            self._encrypted(side, kind, body, time_s)

    @property
    def _is_1_3(self) -> bool:
        return self._server is not None and self._server.version == TLS_1_3

    @property
    def _both_encrypt(self) -> bool:
        return all(side.encrypted for side in self._sides)

    def _plain(self, side: int, kind: int, body: bytes, time_s: float) -> None:
        if kind == _ALERT:
            self._alert(side, body, time_s)
            return
        for message_kind, message in self._handshake_messages(side, body):
            if message_kind == _CLIENT_HELLO and side == CLIENT and len(message) >= 38:
                self._client = ClientHello(message)
                self._hello_s[CLIENT] = self._hello_s[CLIENT] or time_s
            elif message_kind == _SERVER_HELLO and side == SERVER and len(message) >= 38:
                hello = ServerHello(message)
                if not hello.is_retry:
                    self._server, self._hello_s[SERVER] = hello, time_s

    def _handshake_messages(self, side: int, body: bytes) -> list[tuple[int, bytes]]:
        """The handshake messages that are whole with this part."""
        this = self._sides[side]
        data = this.handshake.take(body)
        at, need = 0, 4
        found = []
        while len(data) - at >= 4:
            end = at + 4 + int.from_bytes(data[at + 1 : at + 4], "big")
            if len(data) < end:
                need = end - at
                break
            found.append((data[at], data[at + 4 : end]))
            at = end
        if at < len(data) and need <= MAX_HANDSHAKE_BYTES:
            this.handshake.keep(data[at:], need)
        return found

    def _alert(self, side: int, body: bytes, time_s: float) -> None:
        name = alert_name(body)
        if not name:
            return
        if name == "close_notify":
            if self._inside is not None:
                self._inside.listener.closed(side, time_s)
            return
        if side == CLIENT and self._client is not None:
            self._client.alert = name
        elif side == SERVER:
            if self._server is None:
                self._server, self._hello_s[SERVER] = ServerHello(b"", name), time_s
            self._server.alert = name
        self._tell(time_s, "")

    def _tell(self, time_s: float, failure: str) -> None:
        """The handshake is through, or never will be."""
        if self._told:
            return
        self._told = True
        if self._client is None and self._server is None and failure in ("closed", "open"):
            failure = ""  # its beginning was not captured; it may have been in order
        alert = bool(self._client and self._client.alert) or bool(
            self._server and self._server.alert
        )
        exchange = Exchange(
            "tls",
            self._connection,
            self._client,
            self._hello_s[CLIENT] or self._connection.first_s,
            self._server,
            self._hello_s[SERVER],
            time_s,
            first=self._connection.whole,
            failure="" if alert else failure,
        )
        self._context.emit(exchange)

    # What needs secrets

    def _encrypted(self, side: int, kind: int, body: bytes, time_s: float) -> None:
        if self._decryptor is None and not self._find_secrets():
            self._wait(side, kind, body, time_s)
            return
        self._decrypt(side, kind, body, time_s)

    def _find_secrets(self) -> bool:
        """Look for the secrets; whether they are there."""
        client, server, keys = self._client, self._server, self._context.keys
        if client is None or server is None or keys is None or not server.body:
            return False
        # Its ciphers are 9 MB of memory that only those need who have secrets.
        from pilotfish.tap.dissectors.tls_decrypt import Decryptor, has_secrets, suite_for

        suite = suite_for(server.version, server.cipher)
        secrets = keys.secrets(client.random) if suite else {}
        if suite is None or not has_secrets(server.version, secrets):
            return False
        randoms = server.random + client.random
        self._decryptor = Decryptor(server.version, suite, secrets, randoms)
        server.decrypted = True
        waiting, self._waiting = self._waiting, []
        for record in waiting:
            self._decrypt(*record)
        return True

    def _wait(self, side: int, kind: int, body: bytes, time_s: float) -> None:
        self._waiting.append((side, kind, body, time_s))
        self._waiting_bytes += len(body)
        hopeless = self._context.keys is None or self._client is None
        if (
            hopeless
            or len(self._waiting) > MAX_WAITING_RECORDS
            or self._waiting_bytes > MAX_WAITING_BYTES
        ):
            self._waiting.clear()
            # Without secrets nothing is to be learnt after the handshake.
            self._deaf = self._told
            if not self._told:
                self._waiting_bytes = 0

    def _decrypt(self, side: int, kind: int, body: bytes, time_s: float) -> None:
        if self._deaf:
            return
        assert self._decryptor is not None
        try:
            kind, plain = self._decryptor.record(side, kind, body)
        except UnknownKeys:
            # Early data have secrets of their own, and come before everything else; a record
            # that fails later means that the numbers are wrong, for good.
            if self._inside is not None:
                self._inside.listener.gap(side, len(body), time_s)
                self._stop(time_s, "lost")
            return
        if kind == _APPLICATION:
            self._said_inside(side, plain, time_s)
        elif kind == _ALERT:
            self._alert(side, plain, time_s)
        elif kind == HANDSHAKE:
            for message_kind, _ in self._handshake_messages(side, plain):
                if message_kind == _FINISHED and self._is_1_3:
                    self._decryptor.finished(side)
                elif message_kind == _KEY_UPDATE:
                    self._decryptor.update(side)

    def _said_inside(self, side: int, plain: bytes, time_s: float) -> None:
        if not plain:
            return
        if self._inside is None:
            self._inside = _Inside()
            context = self._context.inside(self._inside)
            self._inside.listener = Conversation(self._connection, context)
        self._inside.listener.data(side, plain, time_s)

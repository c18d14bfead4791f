"""TLS records → plain text, with the secrets of a key log.

TLS 1.3 (RFC 8446 sections 5.2, 7.1 and 7.3) and the AEAD cipher suites of TLS
1.2 (RFC 5246 section 6.3, RFC 5288, RFC 7905). Older ones are not decrypted.
"""

from __future__ import annotations

import hmac
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

from pilotfish.tap.connection import CLIENT, SERVER
from pilotfish.tap.dissectors.tls_hello import TLS_1_2, TLS_1_3, UnknownKeys

_Cipher = AESGCM | AESCCM | ChaCha20Poly1305
Secrets = dict[str, bytes]


class Suite(NamedTuple):
    """What a cipher suite means for records."""

    kind: str
    key_bytes: int
    hash: str


_SUITES: dict[int, Suite] = {
    0x1301: Suite("gcm", 16, "sha256"),
    0x1302: Suite("gcm", 32, "sha384"),
    0x1303: Suite("chacha", 32, "sha256"),
    0x1304: Suite("ccm", 16, "sha256"),
    0x1305: Suite("ccm8", 16, "sha256"),
    **dict.fromkeys((0xC02B, 0xC02F, 0x009C, 0x009E), Suite("gcm", 16, "sha256")),
    **dict.fromkeys((0xC02C, 0xC030, 0x009D, 0x009F), Suite("gcm", 32, "sha384")),
    **dict.fromkeys((0xCCA8, 0xCCA9, 0xCCAA), Suite("chacha", 32, "sha256")),
}

_NAMES = ("CLIENT", "SERVER")


class Decryptor:
    """Decrypts the records of both sides, in the order in which each sends them."""

    def __init__(self, version: int, suite: Suite, secrets: Secrets, randoms: bytes) -> None:
        """Make a decryptor.

        Args:
            version: TLS_1_2 or TLS_1_3.
            suite: what the server chose.
            secrets: of this connection, by their label in the key log.
            randoms: the server's random, and behind it the client's.
        """
        if version == TLS_1_3:
            self._sides: tuple[_Side, _Side] = (
                _Side13(suite, secrets, CLIENT),
                _Side13(suite, secrets, SERVER),
            )
        else:
            self._sides = _sides_of_1_2(suite, secrets, randoms)

    def record(self, side: int, kind: int, body: bytes) -> tuple[int, bytes]:
        """Decrypt a record: its true type, and its plain text.

        Raises:
            UnknownKeys: it cannot be decrypted.
        """
        return self._sides[side].record(kind, body)

    def finished(self, side: int) -> None:
        """A side's Finished was read: it goes on with the next secret."""
        self._sides[side].next_stage()

    def update(self, side: int) -> None:
        """A side said KeyUpdate."""
        self._sides[side].update()


def suite_for(version: int, cipher: int) -> Suite | None:
    """How records are protected; None when they cannot be decrypted."""
    is_1_3 = cipher >> 8 == 0x13
    if version not in (TLS_1_2, TLS_1_3) or is_1_3 != (version == TLS_1_3):
        return None
    return _SUITES.get(cipher)


def has_secrets(version: int, secrets: Secrets) -> bool:
    """Whether the secrets are all there."""
    if version != TLS_1_3:
        return "CLIENT_RANDOM" in secrets
    return all(f"{name}_TRAFFIC_SECRET_0" in secrets for name in _NAMES)


class _Side:
    """The records of one side."""

    def __init__(self, suite: Suite) -> None:
        self.suite = suite
        self.cipher: _Cipher | None = None
        self.iv = b""
        self.number = 0

    def record(self, kind: int, body: bytes) -> tuple[int, bytes]:
        """See Decryptor.record."""
        raise NotImplementedError

    def next_stage(self) -> None:
        """TLS 1.2 has but one secret."""

    def update(self) -> None:
        """TLS 1.2 has no key updates."""

    def decrypt(self, nonce: bytes, body: bytes, associated: bytes) -> bytes:
        """Decrypt, and count the record."""
        if self.cipher is None:
            raise UnknownKeys
        try:
            plain = self.cipher.decrypt(nonce, body, associated)
        except (InvalidTag, ValueError) as error:
            raise UnknownKeys from error
        self.number += 1
        return plain

    def nonce(self) -> bytes:
        """The initialization vector with the record's number in it (RFC 8446, section 5.3)."""
        return (int.from_bytes(self.iv, "big") ^ self.number).to_bytes(len(self.iv), "big")


class _Side12(_Side):
    """TLS 1.2 with AEAD."""

    def record(self, kind: int, body: bytes) -> tuple[int, bytes]:
        if self.suite.kind == "gcm":
            nonce, body = self.iv + body[:8], body[8:]
        else:
            nonce = self.nonce()
        length = max(len(body) - 16, 0)
        associated = (
            self.number.to_bytes(8, "big") + bytes((kind, 3, 3)) + length.to_bytes(2, "big")
        )
        return kind, self.decrypt(nonce, body, associated)


class _Side13(_Side):
    """TLS 1.3: handshake secret, then traffic secret 0, 1, …"""

    def __init__(self, suite: Suite, secrets: Secrets, side: int) -> None:
        super().__init__(suite)
        name = _NAMES[side]
        self._next = secrets.get(f"{name}_TRAFFIC_SECRET_0")
        self._secret = b""
        handshake = secrets.get(f"{name}_HANDSHAKE_TRAFFIC_SECRET")
        if handshake is not None:
            self._use(handshake)

    def record(self, kind: int, body: bytes) -> tuple[int, bytes]:  # noqa: ARG002 (_Side)
        associated = b"\x17\x03\x03" + len(body).to_bytes(2, "big")
        plain = self.decrypt(self.nonce(), body, associated).rstrip(b"\0")
        if not plain:
            raise UnknownKeys
        return plain[-1], plain[:-1]

    def next_stage(self) -> None:
        if self._next is not None:
            self._use(self._next)
            self._next = None

    def update(self) -> None:
        if self._secret:
            size = len(self._secret)
            self._use(_expand_label(self.suite.hash, self._secret, b"traffic upd", size))

    def _use(self, secret: bytes) -> None:
        self._secret = secret
        key = _expand_label(self.suite.hash, secret, b"key", self.suite.key_bytes)
        self.iv = _expand_label(self.suite.hash, secret, b"iv", 12)
        self.cipher = _cipher(self.suite, key)
        self.number = 0


def _sides_of_1_2(suite: Suite, secrets: Secrets, randoms: bytes) -> tuple[_Side, _Side]:
    iv_bytes = 4 if suite.kind == "gcm" else 12
    size = 2 * (suite.key_bytes + iv_bytes)
    block = _prf(suite.hash, secrets["CLIENT_RANDOM"], b"key expansion" + randoms, size)
    sides = (_Side12(suite), _Side12(suite))
    for number, side in enumerate(sides):
        at = number * suite.key_bytes
        side.cipher = _cipher(suite, block[at : at + suite.key_bytes])
        at = 2 * suite.key_bytes + number * iv_bytes
        side.iv = block[at : at + iv_bytes]
    return sides


def _cipher(suite: Suite, key: bytes) -> _Cipher:
    if suite.kind == "chacha":
        return ChaCha20Poly1305(key)
    if suite.kind == "gcm":
        return AESGCM(key)
    return AESCCM(key, tag_length=8 if suite.kind == "ccm8" else 16)


def _expand_label(hash_name: str, secret: bytes, label: bytes, size: int) -> bytes:
    """HKDF-Expand-Label with an empty context (RFC 8446, section 7.1)."""
    name = b"tls13 " + label
    info = size.to_bytes(2, "big") + bytes((len(name),)) + name + b"\0"
    block, found, count = b"", b"", 1
    while len(found) < size:
        block = hmac.digest(secret, block + info + bytes((count,)), hash_name)
        found += block
        count += 1
    return found[:size]


def _prf(hash_name: str, secret: bytes, seed: bytes, size: int) -> bytes:
    """The pseudorandom function of TLS 1.2 (RFC 5246, section 5)."""
    found, step = b"", seed
    while len(found) < size:
        step = hmac.digest(secret, step, hash_name)
        found += hmac.digest(secret, step + seed, hash_name)
    return found[:size]

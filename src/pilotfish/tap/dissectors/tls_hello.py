"""What a TLS handshake says in plain text: ClientHello, ServerHello, alerts.

RFC 8446 (TLS 1.3) section 4 and RFC 5246 (TLS 1.2) section 7; server names by
RFC 6066, application protocols by RFC 7301.
"""

from __future__ import annotations

import struct
from functools import cached_property
from typing import Any

VERSIONS = {
    0x0300: "SSL 3.0",
    0x0301: "TLS 1.0",
    0x0302: "TLS 1.1",
    0x0303: "TLS 1.2",
    0x0304: "TLS 1.3",
}
TLS_1_2, TLS_1_3 = 0x0303, 0x0304

HANDSHAKE = 22

CIPHERS = {
    0x1301: "TLS_AES_128_GCM_SHA256",
    0x1302: "TLS_AES_256_GCM_SHA384",
    0x1303: "TLS_CHACHA20_POLY1305_SHA256",
    0x1304: "TLS_AES_128_CCM_SHA256",
    0x1305: "TLS_AES_128_CCM_8_SHA256",
    0xC02B: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    0xC02C: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    0xC02F: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    0xC030: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    0xCCA8: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    0xCCA9: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    0xCCAA: "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    0x009C: "TLS_RSA_WITH_AES_128_GCM_SHA256",
    0x009D: "TLS_RSA_WITH_AES_256_GCM_SHA384",
    0x009E: "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
    0x009F: "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
    0xC009: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    0xC00A: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    0xC013: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    0xC014: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    0x002F: "TLS_RSA_WITH_AES_128_CBC_SHA",
    0x0035: "TLS_RSA_WITH_AES_256_CBC_SHA",
}

ALERTS = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    22: "record_overflow",
    40: "handshake_failure",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    109: "missing_extension",
    110: "unsupported_extension",
    112: "unrecognized_name",
    113: "bad_certificate_status_response",
    115: "unknown_psk_identity",
    116: "certificate_required",
    120: "no_application_protocol",
}

# A ServerHello with this random asks for another ClientHello (RFC 8446, section 4.1.3).
_RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")

_SERVER_NAME, _ALPN, _SUPPORTED_VERSIONS = 0, 16, 43


def version_name(version: int) -> str:
    """ "TLS 1.3" for 0x0304."""
    return VERSIONS.get(version, f"0x{version:04x}")


def cipher_name(cipher: int) -> str:
    """The cipher suite as IANA names it; its number where it is rare."""
    return CIPHERS.get(cipher, f"0x{cipher:04x}")


class UnknownKeys(Exception):
    """The secrets for a record are not known."""


class ClientHello:
    """What the client offers, read when somebody asks.

    Attributes:
        body: the handshake message behind its head.
        size: bytes on the wire, record heads not counted.
        alert: what the client complained of, in plain text; "" otherwise.
    """

    __slots__ = ("__dict__", "alert", "body", "size")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.size = len(body) + 4
        self.alert = ""

    @property
    def random(self) -> bytes:
        """By which a key log names the connection."""
        return self.body[2:34]

    @cached_property
    def _parts(self) -> tuple[int, list[int], dict[int, bytes]]:
        """Legacy version, cipher suites, extensions."""
        body = self.body
        try:
            at = 35 + body[34]
            (length,) = struct.unpack_from("!H", body, at)
            ciphers = _numbers(body[at + 2 : at + 2 + length])
            at += 2 + length
            at += 1 + body[at]
            extensions = _extensions(body[at:])
        except (IndexError, struct.error):
            return 0, [], {}
        return int.from_bytes(body[:2], "big"), ciphers, extensions

    @property
    def server_name(self) -> str:
        """The host name that the client wants to speak to; "" when it does not say."""
        data = self._parts[2].get(_SERVER_NAME, b"")
        length = int.from_bytes(data[3:5], "big")
        return data[5 : 5 + length].decode("ascii", "replace")

    @property
    def versions(self) -> list[int]:
        """The versions that it offers, best first."""
        legacy, _, extensions = self._parts
        offered = extensions.get(_SUPPORTED_VERSIONS)
        if offered is None:
            return [legacy]
        # Those with two equal bytes, of which the low nibbles are 0xA, test servers (RFC 8701).
        return [each for each in _numbers(offered[1:]) if each & 0x0F0F != 0x0A0A]

    @property
    def alpn(self) -> list[str]:
        """The application protocols that it offers."""
        return _protocols(self._parts[2].get(_ALPN, b""))

    def fields(self) -> dict[str, Any]:
        """What it offers, as JSON values."""
        versions = [version_name(each) for each in self.versions]
        ciphers = [each for each in self._parts[1] if each & 0x0F0F != 0x0A0A]
        return {
            "server_name": self.server_name,
            "version": versions[0] if versions else "",
            "versions": versions,
            "alpn": self.alpn,
            "ciphers": [cipher_name(each) for each in ciphers],
            "alert": self.alert,
            "size": self.size,
        }


class ServerHello:
    """What the server chose, or why it refused.

    Attributes:
        body: the handshake message behind its head; empty when there was an alert instead.
        alert: what the server complained of; "" otherwise.
        decrypted: whether secrets were there.
        size: bytes on the wire, record heads not counted.
    """

    __slots__ = ("__dict__", "alert", "body", "decrypted", "size")

    def __init__(self, body: bytes, alert: str = "") -> None:
        self.body = body
        self.alert = alert
        self.decrypted = False
        self.size = len(body) + 4 if body else 2

    @property
    def random(self) -> bytes:
        """The server's random."""
        return self.body[2:34]

    @property
    def is_retry(self) -> bool:
        """Whether it asks for another ClientHello."""
        return self.random == _RETRY_RANDOM

    @cached_property
    def _parts(self) -> tuple[int, int, dict[int, bytes]]:
        """Legacy version, cipher suite, extensions."""
        body = self.body
        try:
            at = 35 + body[34]
            (cipher,) = struct.unpack_from("!H", body, at)
            return int.from_bytes(body[:2], "big"), cipher, _extensions(body[at + 3 :])
        except (IndexError, struct.error):
            return 0, 0, {}

    @property
    def version(self) -> int:
        """The version that it chose."""
        legacy, _, extensions = self._parts
        return int.from_bytes(extensions.get(_SUPPORTED_VERSIONS, b""), "big") or legacy

    @property
    def cipher(self) -> int:
        """The cipher suite that it chose."""
        return self._parts[1]

    def fields(self) -> dict[str, Any]:
        """What it chose, as JSON values; `status` is "OK" or the alert."""
        if not self.body:
            return {"status": self.alert, "alert": self.alert, "size": self.size}
        protocols = _protocols(self._parts[2].get(_ALPN, b""))
        return {
            "status": self.alert or "OK",
            "version": version_name(self.version),
            "cipher": cipher_name(self.cipher),
            # Encrypted since TLS 1.3.
            "alpn": protocols[0] if protocols else "",
            "alert": self.alert,
            "decrypted": self.decrypted,
            "size": self.size,
        }


def alert_name(body: bytes) -> str:
    """What an alert says; "" for one that is broken."""
    if len(body) != 2:
        return ""
    return ALERTS.get(body[1], f"alert {body[1]}")


def _numbers(data: bytes) -> list[int]:
    return [number for (number,) in struct.iter_unpack("!H", data[: len(data) & ~1])]


def _extensions(data: bytes) -> dict[int, bytes]:
    """Extensions by type; as far as they are whole."""
    extensions = {}
    at = 2
    while at + 4 <= len(data):
        kind, length = struct.unpack_from("!HH", data, at)
        extensions[kind] = data[at + 4 : at + 4 + length]
        at += 4 + length
    return extensions


def _protocols(data: bytes) -> list[str]:
    """Names of application protocols, each with its length before it."""
    names = []
    at = 2
    while at < len(data):
        names.append(data[at + 1 : at + 1 + data[at]].decode("latin-1"))
        at += 1 + data[at]
    return names

"""TLS handshakes are told, and with a key log what is said inside: as OpenSSL says it."""

from __future__ import annotations

import datetime
import ssl
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.tap.connection import CLIENT, SERVER
from pilotfish.tap.dissectors.tls import recognise
from pilotfish.tap.key_log import KeyLog
from support.dissection import (
    Said,
    Wire,
    assert_mutations_do_no_harm,
    assert_splitting_changes_nothing,
    seen,
)

GET = b"GET /inside HTTP/1.1\r\nHost: api.test\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret"
TLS_1_2, TLS_1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3

# Cipher suites are chosen by name up to TLS 1.2 only.
CASES = {
    "1.3": (TLS_1_3, ""),
    "1.2 AES-128": (TLS_1_2, "ECDHE-ECDSA-AES128-GCM-SHA256"),
    "1.2 AES-256": (TLS_1_2, "ECDHE-ECDSA-AES256-GCM-SHA384"),
    "1.2 ChaCha20": (TLS_1_2, "ECDHE-ECDSA-CHACHA20-POLY1305"),
}


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and its certificate in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "api.test")])
    today = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today)
        .not_valid_after(today + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


class Pair:
    """A client and a server of OpenSSL that talk, and what went over the wire."""

    def __init__(
        self, certificate: Path, version: ssl.TLSVersion, ciphers: str, trusts: bool = False
    ) -> None:
        self.said: list[Said] = []
        self.log = certificate.with_name("keys.log")
        self.log.unlink(missing_ok=True)
        ends = ssl.create_default_context(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        for context in ends:
            context.minimum_version = context.maximum_version = version
            context.set_alpn_protocols(["http/1.1"])
            if ciphers:
                context.set_ciphers(ciphers)
        ends[SERVER].load_cert_chain(certificate)
        ends[CLIENT].keylog_filename = str(self.log)
        if not trusts:
            ends[CLIENT].check_hostname = False
            ends[CLIENT].verify_mode = ssl.CERT_NONE
        self.incoming = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        names = {"server_hostname": "api.test"}, {"server_side": True}
        self.ends = tuple(
            context.wrap_bio(self.incoming[side], self.outgoing[side], **names[side])  # type: ignore[arg-type]
            for side, context in enumerate(ends)
        )

    def shake_hands(self) -> None:
        """Carry messages over until both sides are content."""
        waiting = {CLIENT, SERVER}
        while waiting:
            for side in sorted(waiting):
                try:
                    self.ends[side].do_handshake()
                    waiting.discard(side)
                except ssl.SSLWantReadError:
                    pass
                finally:
                    self.carry(side)

    def say(self, side: int, text: bytes) -> None:
        self.ends[side].write(text)
        self.carry(side)
        assert self.ends[1 - side].read(len(text)) == text

    def carry(self, side: int) -> None:
        if sent := self.outgoing[side].read():
            self.said.append((side, sent))
            self.incoming[1 - side].write(sent)

    @property
    def keys(self) -> KeyLog:
        return KeyLog(self.log)


@pytest.fixture(params=CASES.values(), ids=CASES)
def pair(request: pytest.FixtureRequest, certificate: Path) -> Pair:
    talk = Pair(certificate, *request.param)
    talk.shake_hands()
    talk.say(CLIENT, GET)
    talk.say(SERVER, OK)
    return talk


def test_a_handshake_is_an_exchange(pair: Pair) -> None:
    wire = Wire().say(*pair.said).end()
    (exchange,) = wire.exchanges
    assert (exchange.protocol, exchange.failure) == ("tls", "")
    (asked,), (told,) = wire.requests, wire.responses
    assert (asked["server_name"], asked["alpn"]) == ("api.test", ["http/1.1"])
    version = pair.ends[CLIENT].version()
    assert version is not None
    assert told["version"].replace(" ", "v") == version
    assert asked["versions"][0] == told["version"]
    assert told["decrypted"] is False


def test_with_a_key_log_what_is_inside_is_told(pair: Pair) -> None:
    wire = Wire(pair.keys).say(*pair.said).end()
    assert [each.protocol for each in wire.exchanges] == ["tls", "http"]
    assert wire.responses[0]["decrypted"] is True
    assert (wire.requests[1]["path"], wire.responses[1]["body"]) == ("/inside", "secret")


def test_splitting_at_every_byte_changes_nothing(certificate: Path) -> None:
    talk = Pair(certificate, TLS_1_3, "")
    talk.shake_hands()
    talk.say(CLIENT, GET)
    talk.say(SERVER, OK)
    keys = KeyLog()
    keys.add(talk.log.read_bytes())
    assert len(seen(talk.said, keys)) == 2
    assert_splitting_changes_nothing(talk.said, keys)


def test_secrets_may_be_written_after_the_records_that_need_them(pair: Pair) -> None:
    keys = KeyLog()
    wire = Wire(keys).say(*pair.said[:-1])
    keys.add(pair.log.read_bytes())
    wire.say(*pair.said[-1:])
    assert [each.protocol for each in wire.exchanges] == ["tls", "http"]


def test_secrets_of_other_connections_do_not_help(pair: Pair) -> None:
    keys = KeyLog()
    keys.add(b"# a comment\nCLIENT_RANDOM " + b"00" * 32 + b" " + b"11" * 48 + b"\nnot a line\n")
    wire = Wire(keys).say(*pair.said).end()
    assert [each.protocol for each in wire.exchanges] == ["tls"]


def test_a_client_that_does_not_trust_the_server_says_so(certificate: Path) -> None:
    talk = Pair(certificate, TLS_1_2, "", trusts=True)
    with pytest.raises(ssl.SSLCertVerificationError):
        talk.shake_hands()
    wire = Wire().say(*talk.said).end()
    assert wire.requests[0]["alert"] == "unknown_ca"


def test_a_server_that_cannot_agree_says_so(certificate: Path) -> None:
    old, new = Pair(certificate, TLS_1_2, ""), Pair(certificate, TLS_1_3, "")
    for talk, side in ((old, CLIENT), (new, SERVER)):
        if side == SERVER:
            talk.incoming[SERVER].write(old.said[0][1])
        with pytest.raises(ssl.SSLError):
            talk.ends[side].do_handshake()
        talk.carry(side)
    wire = Wire().say(old.said[0], new.said[-1]).end()
    assert wire.responses[0]["status"] == "protocol_version"


def test_a_handshake_that_is_cut_off_fails_as_the_connection_did(pair: Pair) -> None:
    wire = Wire().say(pair.said[0]).end("reset")
    assert [each.failure for each in wire.exchanges] == ["reset"]


def test_the_middle_of_a_connection_is_recognised(pair: Pair) -> None:
    wire = Wire().say(*pair.said[-2:]).end()
    assert [(each.protocol, each.request, each.failure) for each in wire.exchanges] == [
        ("tls", None, "")
    ]


def test_postgresql_may_begin_tls_and_go_on_inside(certificate: Path) -> None:
    startup = b"\0\0\0\x11\0\3\0\0user\0me\0\0"
    talk = Pair(certificate, TLS_1_3, "")
    talk.shake_hands()
    talk.say(CLIENT, startup)
    talk.say(SERVER, b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I")
    ask: list[Said] = [(CLIENT, b"\0\0\0\x08\x04\xd2\x16\x2f"), (SERVER, b"S")]
    wire = Wire(talk.keys).say(*ask, *talk.said).end()
    assert [each.protocol for each in wire.exchanges] == ["tls", "postgresql"]
    assert wire.requests[1]["user"] == "me"


def test_a_gap_ends_what_can_be_read(pair: Pair) -> None:
    wire = Wire(pair.keys).say(*pair.said[:-2]).lose(CLIENT, 100).say(*pair.said[-1:]).end()
    assert "http" not in [each.protocol for each in wire.exchanges]


@pytest.mark.parametrize(
    ("client", "server", "verdict"),
    [
        (b"\x16\x03\x01\x02\x00\x01", b"", True),
        (b"\x16\x03", b"", None),
        (b"\x16\x04", b"", False),
        (b"\x16\x03\x01\x02\x00\x02", b"", False),
        (b"\x17\x03\x03\x00\x40", b"", True),
        (b"GET / HTTP/1.1", b"", False),
    ],
)
def test_tls_is_recognised_by_its_first_record(
    client: bytes, server: bytes, verdict: bool | None
) -> None:
    assert recognise(client, server) is verdict


@cache
def _conversation(certificate: Path) -> tuple[list[Said], KeyLog]:
    talk = Pair(certificate, TLS_1_3, "")
    talk.shake_hands()
    talk.say(CLIENT, GET)
    talk.say(SERVER, OK)
    keys = KeyLog()
    keys.add(talk.log.read_bytes())
    return talk.said, keys


@pytest.mark.parametrize("seed", range(80))
def test_mutations_do_no_harm(seed: int, certificate: Path) -> None:
    said, keys = _conversation(certificate)
    assert_mutations_do_no_harm(said, seed, keys)


@given(st.lists(st.tuples(st.sampled_from((CLIENT, SERVER)), st.binary(max_size=60)), max_size=20))
def test_garbage_does_no_harm(garbage: list[Said]) -> None:
    hello = b"\x16\x03\x01\x00\x40\x01\x00\x00\x3c\x03\x03"
    Wire().say((CLIENT, hello), *garbage).end().seen()


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_hellos_with_any_content_do_no_harm(one: bytes, other: bytes) -> None:
    said: list[Said] = []
    for side, kind, content in ((CLIENT, 1, one), (SERVER, 2, other)):
        body = b"\x03\x03" + bytes(32) + content
        length = len(body).to_bytes(3, "big")
        record = bytes((kind,)) + length + body
        said.append((side, b"\x16\x03\x01" + len(record).to_bytes(2, "big") + record))
    Wire().say(*said).end().seen()

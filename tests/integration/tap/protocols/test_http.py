"""HTTP/1, HTTP/2 and TLS of nginx and curl are seen as tshark sees them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pilotfish.tap.exchange import Exchange
from support.captures import Machine

CONFIGURATION = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1; user root;
events {{ }}
http {{
    access_log off; types {{ text/plain txt; }} default_type image/x;
    gzip on; gzip_types text/plain;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{
        listen 80; listen 81 http2; listen 443 ssl http2;
        ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.pem;
        ssl_protocols TLSv1.2 TLSv1.3;
        root {folder}/www;
        location /moved {{ return 301 /hello.txt; }}
        location /post {{ return 200 "thank you\\n"; }}
    }}
}}
"""
TEXT = "All work and no play makes Jack a dull boy.\n" * 200


@pytest.fixture(scope="module")
def nginx(machine: Machine) -> Machine:
    folder = machine.folder
    (folder / "www").mkdir()
    (folder / "www/hello.txt").write_text("hello\n")
    (folder / "www/long.txt").write_text(TEXT)
    (folder / "www/large.bin").write_bytes(bytes(range(256)) * 2048)
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=api.test", "-keyout", "server.key"]
    subprocess.run([*command, "-out", "server.crt"], cwd=folder, check=True, capture_output=True)
    pair = (folder / "server.key").read_text() + (folder / "server.crt").read_text()
    (folder / "server.pem").write_text(pair)
    (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder))
    machine.start("nginx", "-c", folder / "nginx.conf", port=80)
    return machine


def urls(base: str) -> list[str]:
    paths = ("hello.txt", "long.txt", "moved", "nowhere", "large.bin", "post?x=1")
    return [argument for path in paths for argument in ("-o", "/dev/null", f"{base}/{path}")]


def pairs(exchanges: list[Exchange]) -> list[tuple[str, str, int]]:
    """Method, target and status of HTTP exchanges."""
    found = []
    for each in exchanges:
        if each.protocol != "http":
            continue
        assert each.request is not None
        assert each.response is not None
        assert each.failure == ""
        request, response = each.request.fields(), each.response.fields()
        query = "&".join(f"{name}={value}" for name, value in request["query"].items())
        target = request["path"] + ("?" + query if query else "")
        found.append((request["method"], target, response["status_code"]))
    return found


EXPECTED = [
    ("GET", "/hello.txt", 200),
    ("GET", "/long.txt", 200),
    ("GET", "/moved", 301),
    ("GET", "/nowhere", 404),
    ("GET", "/large.bin", 200),
    ("GET", "/post?x=1", 200),
]


def test_http1_on_a_kept_connection(nginx: Machine, values: Callable[..., list[str]]) -> None:
    with nginx.capture("http1") as capture:
        nginx.run("curl", "-sS", "--compressed", *urls("http://127.0.0.1"))
        nginx.run("curl", "-sS", "-d", "name=Viki", "http://127.0.0.1/post")
        nginx.run("curl", "-sS", "-I", "http://127.0.0.1/large.bin")
    found = pairs(capture.exchanges())
    assert found == [*EXPECTED, ("POST", "/post", 200), ("HEAD", "/large.bin", 200)]
    theirs = capture.tshark("http.request", "http.request.method", "http.request.uri")
    assert [f"{method}|{target}" for method, target, _ in found] == theirs
    codes = values(capture.tshark("http.response", "http.response.code"))
    assert [str(code) for *_, code in found] == codes


def test_bodies_are_unpacked_and_counted(nginx: Machine) -> None:
    with nginx.capture("bodies") as capture:
        nginx.run("curl", "-sS", "--compressed", *urls("http://127.0.0.1"))
    responses = [each.response.fields() for each in capture.exchanges() if each.response]
    assert responses[1]["headers"]["content-encoding"] == "gzip"
    assert responses[1]["body"] == TEXT
    assert responses[4]["body_size"] == 256 * 2048


def test_http2_without_tls(nginx: Machine, values: Callable[..., list[str]]) -> None:
    with nginx.capture("http2") as capture:
        base = "http://127.0.0.1:81"
        nginx.run("nghttp", "-n", *urls(base)[2::3])
        nginx.run("curl", "-sS", "--http2-prior-knowledge", f"{base}/hello.txt")
    found = pairs(capture.exchanges())
    assert sorted(found[:6]) == sorted(EXPECTED)
    assert found[6:] == EXPECTED[:1]
    options = ("-d", "tcp.port==81,http2")
    theirs = capture.tshark("http2.headers.path", "http2.headers.path", options=options)
    assert sorted(target for _, target, _ in found) == sorted(values(theirs))
    codes = capture.tshark("http2.headers.status", "http2.headers.status", options=options)
    assert sorted(str(code) for *_, code in found) == sorted(values(codes))


@pytest.mark.parametrize(
    ("version", "name"), [("--tls-max 1.2", "TLS 1.2"), ("--tlsv1.3", "TLS 1.3")]
)
@pytest.mark.parametrize("http", ["--http1.1", "--http2"])
def test_tls_with_and_without_a_key_log(
    nginx: Machine, values: Callable[..., list[str]], version: str, name: str, http: str
) -> None:
    keys: Path = nginx.folder / f"{name}{http}.keys"
    with nginx.capture(f"tls{name}{http}") as capture:
        resolve = ("--resolve", "api.test:443:127.0.0.1", "-k", *version.split(), http)
        nginx.run("curl", "-sS", *resolve, *urls("https://api.test"), SSLKEYLOGFILE=str(keys))
    (handshake,) = capture.exchanges()
    assert handshake.request is not None
    assert handshake.response is not None
    asked, told = handshake.request.fields(), handshake.response.fields()
    assert (asked["server_name"], told["version"]) == ("api.test", name)
    names = capture.tshark("tls.handshake.type == 1", "tls.handshake.extensions_server_name")
    assert names == ["api.test"]
    ciphers = capture.tshark("tls.handshake.type == 2", "_ws.col.Info", "tls.handshake.ciphersuite")
    assert len(ciphers) == 1

    found = pairs(capture.exchanges(keys))
    assert found == EXPECTED
    options = ("-o", f"tls.keylog_file:{keys}")
    field = "http.request.uri" if http == "--http1.1" else "http2.headers.path"
    theirs = values(capture.tshark(field, field, options=options))
    assert [target for _, target, _ in found] == theirs


def test_failures_are_told(nginx: Machine) -> None:
    nginx.run("nft", "add table ip tap")
    nginx.run("nft", "add chain ip tap in { type filter hook input priority 0; }")
    nginx.run("nft", "add rule ip tap in tcp dport 82 reject with icmp port-unreachable")
    nginx.run("nft", "add rule ip tap in tcp dport 83 drop")
    ask = (
        "import socket, sys\n"
        "for port in (84, 82, 83):\n"
        "    try: socket.create_connection(('127.0.0.1', port), timeout=0.3)\n"
        "    except OSError: pass\n"
        "udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "udp.sendto(b'anybody there?', ('127.0.0.1', 85))\n"
    )
    with nginx.capture("failures") as capture:
        nginx.run("python3", "-c", ask)
    found = {
        (each.protocol, each.connection.server_port): each.failure for each in capture.exchanges()
    }
    assert found == {
        ("tcp", 84): "refused",
        ("tcp", 82): "icmp port unreachable",
        ("tcp", 83): "timed out",
        ("udp", 85): "icmp port unreachable",
    }

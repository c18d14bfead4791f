"""How etcd lets a store in: over TLS, with a certificate; and what is said when it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilotfish.client.api import Client
from pilotfish.cluster import external_store, pki
from pilotfish.cluster.errors import ClusterError
from support.apiserver import running_api_server
from support.etcd import Etcd
from support.objects import config_map


def certificates(folder: Path) -> tuple[Path, Path, Path, Path, Path]:
    """A CA, a server's certificate and key, a client's certificate and key."""
    pki.write_pki(folder, "cluster.local", ["127.0.0.1"], {})
    return (
        pki.cert_file(folder, "ca"),
        pki.cert_file(folder, "apiserver"),
        pki.key_file(folder, "apiserver"),
        pki.cert_file(folder, pki.ADMIN.stem),
        pki.key_file(folder, pki.ADMIN.stem),
    )


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[tuple[Etcd, str]]:
    """An etcd that asks for certificates, and the address with which it lets in."""
    ca, server_cert, server_key, cert, key = certificates(tmp_path / "etcd-pki")
    options = ["--cert-file", server_cert, "--key-file", server_key, "--trusted-ca-file", ca]
    with Etcd(tmp_path / "etcd", "--client-cert-auth", *map(str, options)) as etcd:
        yield etcd, f"{tls(etcd)}?ca={ca}&cert={cert}&key={key}"


def tls(etcd: Etcd) -> str:
    """Its address over TLS, without any certificate."""
    return etcd.address().replace("etcd://", "etcds://")


def refusal(store: str) -> str:
    with pytest.raises(ClusterError) as caught:
        external_store.find(store, "any")
    return str(caught.value)


async def test_a_server_works_over_tls_with_a_certificate(
    tmp_path: Path, guarded: tuple[Etcd, str]
) -> None:
    async with (
        running_api_server(tmp_path, store_address=guarded[1]) as server,
        Client(server.client_config()) as client,
    ):
        # More than Go's HTTP/2 server takes at once.
        await asyncio.gather(
            *(client.create("configmaps", config_map(f"m-{n}")) for n in range(300))
        )
        path = "/api/v1/namespaces/default/configmaps"
        await client.request("DELETE", path)
        assert (await client.list("configmaps", "default"))["items"] == []


def test_who_shows_no_certificate_is_told_to(tmp_path: Path, guarded: tuple[Etcd, str]) -> None:
    ca = tmp_path / "etcd-pki" / "ca.crt"
    assert "cert=FILE" in refusal(f"{tls(guarded[0])}?ca={ca}")


def test_an_authority_that_is_not_trusted_is_named(
    tmp_path: Path, guarded: tuple[Etcd, str]
) -> None:
    other, *_ = certificates(tmp_path / "other-pki")
    assert "its certificate is not trusted" in refusal(f"{tls(guarded[0])}?ca={other}")
    assert "its certificate is not trusted" in refusal(tls(guarded[0]))


def test_plain_text_to_a_tls_port_and_tls_to_a_plain_one_are_told(
    tmp_path: Path, guarded: tuple[Etcd, str]
) -> None:
    assert "cannot be reached" in refusal(guarded[0].address())
    with Etcd(tmp_path / "plain") as plain:
        assert "cannot be reached" in refusal(tls(plain))


def test_what_is_not_etcd_is_told(tmp_path: Path) -> None:
    import http.server
    import threading

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        assert "it does not speak HTTP/2" in refusal(f"etcd://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()


def test_an_etcd_that_hangs_is_given_up(tmp_path: Path) -> None:
    with Etcd(tmp_path / "etcd") as etcd:
        etcd.pause()
        try:
            assert "it does not answer" in refusal(etcd.address())
        finally:
            etcd.resume()


def test_an_etcd_that_asks_for_a_user_is_told(tmp_path: Path) -> None:
    with Etcd(tmp_path / "etcd") as etcd:
        etcd.ctl("user", "add", "root:secret")
        etcd.ctl("user", "grant-role", "root", "root")
        etcd.ctl("auth", "enable")
        assert "show a certificate that etcd trusts" in refusal(etcd.address())


async def test_a_connection_that_hangs_is_given_up_and_made_anew(tmp_path: Path) -> None:
    with Etcd(tmp_path / "etcd") as etcd:
        async with (
            running_api_server(tmp_path, store_address=etcd.address()) as server,
            Client(server.client_config()) as client,
        ):
            await client.create("configmaps", config_map("a"))
            etcd.pause()
            reading = asyncio.create_task(client.get("configmaps", "a", "default"))
            await asyncio.sleep(1)
            etcd.resume()
            assert (await reading)["metadata"]["name"] == "a"

"""A cluster's certificates."""

from __future__ import annotations

import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pilotfish.cluster import pki


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pki"
    pki.write_pki(
        made,
        "cluster.local",
        ["127.0.0.1", "192.168.64.1", "10.96.0.1"],
        {"node-1": "192.168.64.2"},
    )
    return made


def certificate(folder: Path, stem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pki.cert_file(folder, stem).read_bytes())


def subject(folder: Path, stem: str, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(a.value) for a in certificate(folder, stem).subject.get_attributes_for_oid(oid)]


def test_the_server_certificate_names_every_way_to_reach_the_api_server(folder: Path) -> None:
    names = (
        certificate(folder, "apiserver")
        .extensions.get_extension_for_class(x509.SubjectAlternativeName)
        .value
    )
    assert set(names.get_values_for_type(x509.DNSName)) == {
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    }
    assert set(names.get_values_for_type(x509.IPAddress)) == {
        ipaddress.ip_address(a) for a in ("127.0.0.1", "192.168.64.1", "10.96.0.1")
    }


@pytest.mark.parametrize(
    ("identity", "user", "groups"),
    [
        (pki.ADMIN, "kubernetes-admin", ["system:masters"]),
        (pki.CONTROLLER_MANAGER, "system:kube-controller-manager", []),
        (pki.API_TO_KUBELET, "kube-apiserver-kubelet-client", ["system:masters"]),
        (pki.node_identity("node-1"), "system:node:node-1", ["system:nodes"]),
    ],
)
def test_a_client_certificate_carries_user_and_groups(
    folder: Path, identity: pki.Identity, user: str, groups: list[str]
) -> None:
    assert subject(folder, identity.stem, NameOID.COMMON_NAME) == [user]
    assert subject(folder, identity.stem, NameOID.ORGANIZATION_NAME) == groups
    usage = certificate(folder, identity.stem).extensions.get_extension_for_class(
        x509.ExtendedKeyUsage
    )
    assert list(usage.value) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_keys_are_p256_and_only_the_owner_reads_them(folder: Path) -> None:
    keys = sorted(folder.glob("*.key"))
    assert {"admin.key", "apiserver.key", "ca.key", "sa.key"} <= {key.name for key in keys}
    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    public = certificate(folder, "admin").public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    assert public.curve.name == "secp256r1"


def test_everything_is_signed_by_the_cluster_authority(folder: Path) -> None:
    authority = certificate(folder, "ca")
    for path in folder.glob("*.crt"):
        x509.load_pem_x509_certificate(path.read_bytes()).verify_directly_issued_by(authority)


def test_a_strict_tls_client_accepts_the_server(folder: Path) -> None:
    """Python 3.13 and Go insist on key identifiers and usages; OpenSSL's strict flag does too."""
    client = ssl.create_default_context(cafile=str(pki.cert_file(folder, "ca")))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pki.cert_file(folder, "apiserver"), pki.key_file(folder, "apiserver"))
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client_side = client.wrap_bio(to_client, to_server, server_hostname="10.96.0.1")
    server_side = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(3):
        for side in (client_side, server_side):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert client_side.version() == "TLSv1.3"


def test_making_them_again_keeps_what_is_there_and_adds_a_new_node(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    pki.write_pki(folder, "cluster.local", ["127.0.0.1"], {"node-2": "192.168.64.3"})
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert before.items() <= after.items()
    assert subject(folder, "kubelet-node-2", NameOID.COMMON_NAME) == ["system:node:node-2"]

"""Certificates and keys of one cluster.

One certificate authority signs everything: the API server's and the kubelets' serving
certificates, and a client certificate for every component, whose common name is the user and whose
organizations are the groups (https://kubernetes.io/docs/reference/access-authn-authz/authentication/
"X.509 client certificates"). Keys are ECDSA P-256: making one takes well under a millisecond, while
an RSA key would cost a tenth of the whole start-up.

`cryptography` is imported inside the functions: most commands never make a certificate.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

_VALID_DAYS = 3650
# A machine whose clock is a little behind must still accept what was just signed.
_CLOCK_SKEW = timedelta(hours=1)


@dataclass(frozen=True)
class Identity:
    """Who a client certificate speaks for: file stem, user name and groups."""

    stem: str
    user: str
    groups: tuple[str, ...] = ()


ADMIN = Identity("admin", "kubernetes-admin", ("system:masters",))
CONTROLLER_MANAGER = Identity("kube-controller-manager", "system:kube-controller-manager")
SCHEDULER = Identity("kube-scheduler", "system:kube-scheduler")
PROXY = Identity("kube-proxy", "system:kube-proxy", ("system:node-proxier",))
DNS = Identity("kube-dns", "system:kube-dns")
TAP = Identity("tap", "system:pilotfish:tap")
API_TO_KUBELET = Identity(
    "kube-apiserver-kubelet-client", "kube-apiserver-kubelet-client", ("system:masters",)
)


def node_identity(node: str) -> Identity:
    """The identity of one kubelet, as the Node authorizer expects it."""
    return Identity(f"kubelet-{node}", f"system:node:{node}", ("system:nodes",))


def kubelet_serving(node: str) -> str:
    """File stem of the certificate that a kubelet serves with."""
    return f"kubelet-{node}-serving"


def server_names(domain: str) -> list[str]:
    """DNS names under which clients reach the API server."""
    return [
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        f"kubernetes.default.svc.{domain}",
    ]


def write_pki(
    folder: Path, domain: str, server_addresses: Iterable[str], nodes: dict[str, str]
) -> None:
    """Make every certificate and key that is not in `folder` yet.

    nodes: node name → its address, for the kubelets' serving certificates.
    An existing authority is kept, so that adding a node never invalidates a kubeconfig.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = _Authority.load_or_create(folder)
    authority.issue_server("apiserver", "kube-apiserver", server_names(domain), server_addresses)
    for identity in (ADMIN, CONTROLLER_MANAGER, SCHEDULER, PROXY, DNS, TAP, API_TO_KUBELET):
        authority.issue_client(identity)
    for node, address in nodes.items():
        authority.issue_client(node_identity(node))
        authority.issue_server(kubelet_serving(node), f"system:node:{node}", [node], [address])
    _write_service_account_key(folder)


def cert_file(folder: Path, stem: str) -> Path:
    """Where the certificate `stem` lies."""
    return folder / f"{stem}.crt"


def key_file(folder: Path, stem: str) -> Path:
    """Where the private key of `stem` lies."""
    return folder / f"{stem}.key"


class _Authority:
    """The cluster's certificate authority, able to sign."""

    def __init__(
        self, folder: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
    ) -> None:
        self._folder = folder
        self._certificate = certificate
        self._key = key

    @classmethod
    def load_or_create(cls, folder: Path) -> _Authority:
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        certificate_path, key_path = cert_file(folder, "ca"), key_file(folder, "ca")
        if certificate_path.exists() and key_path.exists():
            key = serialization.load_pem_private_key(key_path.read_bytes(), None)
            if not isinstance(key, ec.EllipticCurvePrivateKey):
                raise ValueError(f"{key_path} does not hold an elliptic curve key")
            certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
            return cls(folder, certificate, key)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _subject("pilotfish-ca", ())
        builder = (
            _builder(subject, subject, key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
        )
        certificate = _signed(builder, key)
        _write_pair(folder, "ca", certificate, key)
        return cls(folder, certificate, key)

    def issue_client(self, identity: Identity) -> None:
        from cryptography.x509.oid import ExtendedKeyUsageOID

        if cert_file(self._folder, identity.stem).exists():
            return
        subject = _subject(identity.user, identity.groups)
        self._issue(identity.stem, subject, ExtendedKeyUsageOID.CLIENT_AUTH, [], [])

    def issue_server(
        self, stem: str, common_name: str, names: Iterable[str], addresses: Iterable[str]
    ) -> None:
        from cryptography.x509.oid import ExtendedKeyUsageOID

        if cert_file(self._folder, stem).exists():
            return
        subject = _subject(common_name, ())
        self._issue(stem, subject, ExtendedKeyUsageOID.SERVER_AUTH, names, addresses)

    def _issue(
        self,
        stem: str,
        subject: x509.Name,
        usage: x509.ObjectIdentifier,
        names: Iterable[str],
        addresses: Iterable[str],
    ) -> None:
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(subject, self._certificate.subject, key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            # Go and OpenSSL in strict mode (Python 3.13's default) want the issuer's key named.
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
        alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
        if alternatives:
            builder = builder.add_extension(
                x509.SubjectAlternativeName(alternatives), critical=False
            )
        _write_pair(self._folder, stem, _signed(builder, self._key), key)


def _subject(common_name: str, organizations: Iterable[str]) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, name) for name in organizations]
    attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    return x509.Name(attributes)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    from cryptography import x509

    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + timedelta(days=_VALID_DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    from cryptography.hazmat.primitives import hashes

    return builder.sign(key, hashes.SHA256())


def _write_pair(
    folder: Path, stem: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> None:
    from cryptography.hazmat.primitives import serialization

    # The key first: a certificate that exists promises that its key exists too.
    write_private(key_file(folder, stem), _private_pem(key))
    cert_file(folder, stem).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _write_service_account_key(folder: Path) -> None:
    """The pair that signs and verifies ServiceAccount tokens: sa.key and sa.pub."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    public_path = folder / "sa.pub"
    if public_path.exists():
        return
    key = ec.generate_private_key(ec.SECP256R1())
    write_private(folder / "sa.key", _private_pem(key))
    public_path.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o600)
        file.write(content)

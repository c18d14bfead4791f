"""Images built from nothing: layers as tar bytes, an OCI layout or a docker-archive of them.

layout = write_oci_layout(folder, [layer({"bin/sh": b"…"})], {"Cmd": ["sh"]})
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any, Literal

Compression = Literal["", "gzip", "zstd"]


def entry(name: str, **fields: Any) -> tarfile.TarInfo:
    """A tar entry that belongs to whoever runs the test; `fields` are TarInfo's."""
    info = tarfile.TarInfo(name)
    info.uid, info.gid, info.mode = os.getuid(), os.getgid(), 0o755
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def layer(files: dict[str, bytes], *entries: tarfile.TarInfo) -> bytes:
    """An uncompressed layer of files (executable) and any other entries before them."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for other in entries:
            archive.addfile(other)
        for name, content in files.items():
            archive.addfile(entry(name, size=len(content)), io.BytesIO(content))
    return buffer.getvalue()


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def compress(data: bytes, how: Compression) -> bytes:
    if how == "gzip":
        return gzip.compress(data)
    if how == "zstd":
        return subprocess.run(["zstd", "-q"], input=data, stdout=subprocess.PIPE, check=True).stdout
    return data


def image_config(layers: list[bytes], config: dict[str, Any]) -> bytes:
    document = {
        "architecture": "amd64",
        "os": "linux",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [digest_of(one) for one in layers]},
    }
    return json.dumps(document).encode()


def write_oci_layout(
    folder: Path, layers: list[bytes], config: dict[str, Any], how: Compression = "gzip"
) -> Path:
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)

    def put(data: bytes, kind: str) -> dict[str, Any]:
        digest = digest_of(data)
        (blobs / digest.removeprefix("sha256:")).write_bytes(data)
        return {
            "digest": digest,
            "size": len(data),
            "mediaType": f"application/vnd.oci.image.{kind}",
        }

    layer_kind = "layer.v1.tar" + (f"+{how}" if how else "")
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": put(image_config(layers, config), "config.v1+json"),
        "layers": [put(compress(one, how), layer_kind) for one in layers],
    }
    document = json.dumps(manifest).encode()
    index = {"schemaVersion": 2, "manifests": [put(document, "manifest.v1+json")]}
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return folder


def write_docker_archive(file: Path, layers: list[bytes], config: dict[str, Any]) -> Path:
    document = image_config(layers, config)
    names = [f"{digest_of(one).removeprefix('sha256:')}/layer.tar" for one in layers]
    manifest = [{"Config": "config.json", "RepoTags": ["x:1"], "Layers": names}]
    with tarfile.open(file, "w") as archive:
        for name, data in [
            ("config.json", document),
            ("manifest.json", json.dumps(manifest).encode()),
            *zip(names, layers, strict=True),
        ]:
            archive.addfile(entry(name, size=len(data)), io.BytesIO(data))
    return file


def archive_of(folder: Path, file: Path) -> Path:
    """A folder as a tar archive, as OCI archives are."""
    with tarfile.open(file, "w") as archive:
        archive.add(folder, arcname=".")
    return file


def busybox() -> bytes:
    """A static program for image tests."""
    return Path("/usr/bin/busybox").read_bytes()

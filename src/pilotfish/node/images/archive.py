"""What `image load` is given: OCI layouts and archives, docker-archives, root file systems.

`open_source` finds out which, and gives the image's configuration and its layers' files.
Sources: OCI image-spec (image-layout.md, manifest.md, config.md); for docker-archives the
`manifest.json` that `docker save` writes.
"""

from __future__ import annotations

import hashlib
import json
import platform
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_MAX_JSON_BYTES = 32 << 20
_MAX_INDEX_DEPTH = 4


class BadImage(ValueError):
    """The folder or archive is no image; the message says what is wrong with it."""


@dataclass(frozen=True)
class LayerSource:
    """`diff_id` is the digest of the layer's uncompressed tar, which unpacking verifies."""

    diff_id: str
    open: Callable[[], IO[bytes]]


@dataclass(frozen=True)
class ImageSource:
    """A parsed image: `config` is the whole image configuration; "" digest: a bare rootfs."""

    config: dict[str, Any]
    digest: str
    layers: list[LayerSource]


class _Files:
    """The files of a folder or of a tar archive, by their relative names."""

    def __init__(self, folder: Path | None, archive: tarfile.TarFile | None) -> None:
        self._folder = folder
        self._members: dict[str, tarfile.TarInfo] = {}
        self._archive = archive
        if archive:
            for member in archive:
                self._members[member.name.removeprefix("./")] = member

    def has(self, name: str) -> bool:
        if self._folder:
            return (self._folder / name).is_file()
        return name in self._members

    def open(self, name: str) -> IO[bytes]:
        if ".." in name.split("/") or name.startswith("/"):
            raise BadImage(f'refused: the image names the file "{name}" outside of itself')
        if not self.has(name):
            raise BadImage(f'the image lacks its file "{name}"')
        if self._folder:
            return (self._folder / name).open("rb")
        assert self._archive is not None
        member = self._archive.extractfile(self._members[name])  # follows docker's links
        if member is None:
            raise BadImage(f'"{name}" is no file')
        return member

    def json(self, name: str) -> Any:
        with self.open(name) as source:
            return json.loads(source.read(_MAX_JSON_BYTES))

    def blob(self, digest: str) -> str:
        algorithm, _, value = digest.partition(":")
        if algorithm not in ("sha256", "sha512") or not value.isalnum():
            raise BadImage(f'the digest "{digest}" is malformed')
        return f"blobs/{algorithm}/{value}"

    def json_blob(self, digest: str) -> Any:
        with self.open(self.blob(digest)) as source:
            data = source.read(_MAX_JSON_BYTES)
        algorithm, _, value = digest.partition(":")
        if hashlib.new(algorithm, data).hexdigest() != value:
            raise BadImage(f"the image is damaged: {digest} does not match its content")
        return json.loads(data)


def _choose(manifests: list[dict[str, Any]]) -> dict[str, Any]:
    """The manifest for this machine, else the first one that is no attestation."""
    machine = _ARCHITECTURES.get(platform.machine(), platform.machine())
    real = [
        manifest
        for manifest in manifests
        if (manifest.get("platform") or {}).get("architecture") != "unknown"
    ]
    for manifest in real:
        target = manifest.get("platform") or {}
        if target.get("os") == "linux" and target.get("architecture") == machine:
            return manifest
    if not real:
        raise BadImage("the image's index names no manifest")
    return real[0]


def _layers(files: _Files, config: dict[str, Any], names: list[str]) -> list[LayerSource]:
    diff_ids = (config.get("rootfs") or {}).get("diff_ids") or []
    if len(diff_ids) != len(names):
        raise BadImage(
            f"the image's configuration lists {len(diff_ids)} layers, its manifest {len(names)}"
        )

    def opener(name: str) -> Callable[[], IO[bytes]]:
        return lambda: files.open(name)

    return [
        LayerSource(diff_id, opener(name)) for diff_id, name in zip(diff_ids, names, strict=True)
    ]


def _oci(files: _Files) -> ImageSource:
    node = files.json("index.json")
    for _ in range(_MAX_INDEX_DEPTH):
        if "manifests" not in node:
            break
        node = files.json_blob(_choose(node["manifests"])["digest"])
    if "config" not in node:
        raise BadImage("the image's manifest names no configuration")
    digest = node["config"]["digest"]
    config = files.json_blob(digest)
    names = [files.blob(layer["digest"]) for layer in node.get("layers") or []]
    return ImageSource(config, digest, _layers(files, config, names))


def _docker(files: _Files) -> ImageSource:
    manifests = files.json("manifest.json")
    if not isinstance(manifests, list) or len(manifests) != 1:
        raise BadImage("the archive must hold exactly one image; save them one by one")
    manifest = manifests[0]
    with files.open(manifest["Config"]) as source:
        data = source.read(_MAX_JSON_BYTES)
    config = json.loads(data)
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    return ImageSource(config, digest, _layers(files, config, manifest["Layers"]))


def _parse(files: _Files) -> ImageSource | None:
    if files.has("oci-layout") and files.has("index.json"):
        return _oci(files)
    if files.has("manifest.json"):
        return _docker(files)
    return None


@contextmanager
def open_source(path: Path) -> Iterator[ImageSource | None]:
    """The image in a folder or archive; None for a bare root file system.

    Raises BadImage, FileNotFoundError.
    """
    if not path.exists():
        raise FileNotFoundError(f"there is no {path}")
    try:
        if path.is_dir():
            yield _parse(_Files(path, None))
            return
        with tarfile.open(path, "r:*") as archive:
            yield _parse(_Files(None, archive))
    except tarfile.ReadError as error:
        # Of several lines, one per compression, only the first says something.
        reason = str(error).partition(":\n")[0]
        raise BadImage(
            f"{path} is no image: a folder, a tar of a root file system, a docker-archive "
            f"or an OCI archive is expected ({reason})"
        ) from error
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise BadImage(f"{path} is a damaged image: {error!r}") from error


def string_list(value: Any) -> tuple[str, ...]:
    """A list of strings of a configuration, or nothing for null."""
    return tuple(cast(list[str], value or []))

"""The image store: what `image load` keeps, what Pods run, what `image remove` takes away.

    images/REFERENCE.json   one image: configuration and layers, from the bottom up
    layers/DIGEST/          one unpacked layer, shared by images

Several processes use one store (every node, and the command line), so changes take a lock, and
what others may read appears by rename only.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import subprocess
import urllib.parse
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pilotfish.node import mounts, paths
from pilotfish.node.files.trees import remove_tree, tree_bytes
from pilotfish.node.images import host
from pilotfish.node.images.archive import BadImage, ImageSource, open_source, string_list
from pilotfish.node.images.compression import HashingReader, decompressed
from pilotfish.node.images.layer import unpack
from pilotfish.node.images.reference import InvalidReference, is_host, normalize
from pilotfish.node.oci.spec import ImageConfig
from pilotfish.objects.meta import key_of
from pilotfish.objects.times import now

_USERS_NAMED = 3


class ImageInUse(Exception):
    """The image cannot be removed while containers run on it."""


class UnknownImage(Exception):
    """No image of that name is loaded."""


@dataclass(frozen=True)
class Image:
    """A loaded image. `layers` are folder names from the bottom up; none for image `host`."""

    reference: str
    id: str
    config: ImageConfig
    layers: tuple[str, ...]
    size_bytes: int
    loaded_at: str

    @property
    def is_host(self) -> bool:
        return not self.layers


def _image_config(config: dict[str, Any]) -> ImageConfig:
    inner = config.get("config") or {}
    return ImageConfig(
        entrypoint=string_list(inner.get("Entrypoint")),
        cmd=string_list(inner.get("Cmd")),
        env=string_list(inner.get("Env")),
        user=str(inner.get("User") or ""),
        working_dir=str(inner.get("WorkingDir") or ""),
        stop_signal=str(inner.get("StopSignal") or ""),
    )


def _from_json(data: dict[str, Any]) -> Image:
    config = data["config"]
    return Image(
        reference=data["reference"],
        id=data["id"],
        config=ImageConfig(
            entrypoint=tuple(config["entrypoint"]),
            cmd=tuple(config["cmd"]),
            env=tuple(config["env"]),
            user=config["user"],
            working_dir=config["working_dir"],
            stop_signal=config["stop_signal"],
        ),
        layers=tuple(data["layers"]),
        size_bytes=data["size_bytes"],
        loaded_at=data["loaded_at"],
    )


def _user(rootfs: Path) -> str:
    """The user of a root file system: "Pod demo/web", or the path when there is no record."""
    try:
        pod = json.loads(paths.manifest_above(rootfs).read_bytes())
        return f"Pod {key_of(pod)}"
    except (OSError, ValueError, KeyError, IndexError):
        return str(rootfs)


def _first_line(text: str) -> str:
    """The first error of `cp`; the names in it may be thousands of bytes long."""
    line = next(iter(text.strip().splitlines()), "no reason given")
    return line if len(line) <= 200 else f"{line[:100]} ... {line[-60:]}"


def _some(users: set[str]) -> str:
    """The first few by name, and how many more there are."""
    first = sorted(users)[:_USERS_NAMED]
    more = len(users) - len(first)
    return ", ".join(first) + (f" and {more} more" if more else "")


class ImageStore:
    """A store in `folder`, which is made when first needed."""

    def __init__(self, folder: Path) -> None:
        self._images = folder / "images"
        self._layers = folder / "layers"
        self._lock = folder / "lock"

    def load(self, source: Path, name: str) -> Image:
        """Make an image named `name` of a folder or archive; replaces one of that name.

        Raises InvalidReference, BadImage, UnsafeArchive, FileNotFoundError, OSError.
        """
        reference = normalize(name)
        if is_host(reference):
            raise InvalidReference('the name "host" stands for the machine itself')
        with self._locked(), open_source(source) as image_source:
            if image_source is None:
                config, layers, size_bytes = ImageConfig(), *self._load_rootfs(source)
                digest = "sha256:" + hashlib.sha256(layers[0].encode()).hexdigest()
            else:
                layers, size_bytes = self._load_layers(image_source)
                config, digest = _image_config(image_source.config), image_source.digest
            image = Image(reference, digest, config, layers, size_bytes, now())
            target = self._file(reference)
            draft = target.with_suffix(".tmp")
            draft.write_text(json.dumps(asdict(image), indent=1))
            draft.replace(target)
            self._collect_layers()
        return image

    def list(self) -> tuple[Image, ...]:
        """The loaded images by name; `host` is not among them."""
        if not self._images.is_dir():
            return ()
        files = sorted(self._images.glob("*.json"))
        return tuple(_from_json(json.loads(file.read_text())) for file in files)

    def remove(self, name: str) -> Image:
        """Forget an image and the layers that no other image needs.

        Raises UnknownImage, ImageInUse, InvalidReference.
        """
        reference = normalize(name)
        with self._locked():
            image = self._read(reference)
            if image is None:
                raise UnknownImage(f'image "{reference}" is not loaded')
            others = {
                layer
                for other in self.list()
                if other.reference != reference
                for layer in other.layers
            }
            going = [layer for layer in image.layers if layer not in others]
            used = self._layers_in_use()
            users = {pod for layer in going for pod in used.get(layer, ())}
            if users:
                raise ImageInUse(f'image "{reference}" is in use by {_some(users)}')
            self._file(reference).unlink()
            self._collect_layers()
        return image

    def resolve(self, name: str) -> Image | None:
        """The image of that name, or None. Raises InvalidReference."""
        if is_host(name):
            digest = hashlib.sha256(host.REFERENCE.encode()).hexdigest()
            return Image(host.REFERENCE, f"sha256:{digest}", host.host_config(), (), 0, "")
        return self._read(normalize(name))

    def mount(self, image: Image, upper: Path, work: Path, target: Path) -> None:
        """Mount an image's layers with a writable one on top at `target` (folders exist).

        Not for image `host`, whose root file system is `host_view`'s.
        """
        lower = [str(self._layers / layer) for layer in reversed(image.layers)]
        mounts.overlay(lower, upper, work, target)

    def _file(self, reference: str) -> Path:
        return self._images / (urllib.parse.quote(reference, safe="") + ".json")

    def _read(self, reference: str) -> Image | None:
        try:
            return _from_json(json.loads(self._file(reference).read_text()))
        except FileNotFoundError:
            return None

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self._images.mkdir(parents=True, exist_ok=True)
        self._layers.mkdir(exist_ok=True)
        # An image may hold devices and setuid programs: no user of the machine is to reach them.
        self._layers.chmod(0o700)
        with self._lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _load_rootfs(self, source: Path) -> tuple[tuple[str, ...], int]:
        layer = secrets.token_hex(12)
        draft = self._layers / f"{layer}.tmp"
        if source.is_dir():
            command = ["cp", "-a", "--reflink=auto", f"{source}/.", str(draft)]
            draft.mkdir()
            finished = subprocess.run(command, capture_output=True, text=True, check=False)
            if finished.returncode != 0:
                remove_tree(draft)
                raise BadImage(f"copying {source} failed: {_first_line(finished.stderr)}")
            size_bytes = tree_bytes(draft)
        else:
            with source.open("rb") as file, decompressed(file) as plain:
                draft, size_bytes = self._unpack(HashingReader(plain), layer)
        draft.rename(self._layers / layer)
        return (layer,), size_bytes

    def _load_layers(self, source: ImageSource) -> tuple[tuple[str, ...], int]:
        layers: tuple[str, ...] = ()
        total_bytes = 0
        for wanted in source.layers:
            layer = wanted.diff_id.partition(":")[2][:24]
            if not layer.isalnum():
                raise BadImage(f'the layer digest "{wanted.diff_id}" is malformed')
            layers = (*layers, layer)
            if (self._layers / layer).is_dir():
                total_bytes += tree_bytes(self._layers / layer)
                continue
            with wanted.open() as file, decompressed(file) as plain:
                reader = HashingReader(plain)
                draft, size_bytes = self._unpack(reader, layer)
                if reader.digest_of_rest() != wanted.diff_id:
                    remove_tree(draft)
                    raise BadImage(f"the image is damaged: layer {wanted.diff_id} does not match")
            total_bytes += size_bytes
            draft.rename(self._layers / layer)
        return layers, total_bytes

    def _unpack(self, reader: HashingReader, layer: str) -> tuple[Path, int]:
        draft = self._layers / f"{layer}.tmp"
        remove_tree(draft)
        draft.mkdir(mode=0o755)
        try:
            return draft, unpack(reader, draft)  # type: ignore[arg-type]
        except BaseException:
            remove_tree(draft)
            raise

    def _layers_in_use(self) -> dict[str, set[str]]:
        """The Pods that stand on each layer, as people call them."""
        prefix = f"{self._layers}{os.sep}"
        found: dict[str, set[str]] = {}
        for point in mounts.mount_points():
            for folder in point.overlay_folders():
                if folder.startswith(prefix):
                    layer = folder.removeprefix(prefix)
                    found.setdefault(layer, set()).add(_user(Path(point.path)))
        return found

    def _collect_layers(self) -> None:
        """Remove layers of no image, but those that a container still stands on."""
        kept = {layer for image in self.list() for layer in image.layers}
        kept |= self._layers_in_use().keys()
        for folder in self._layers.iterdir():
            if folder.name not in kept:
                remove_tree(folder)

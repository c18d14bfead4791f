"""The image store on a real file system: layers, whiteouts, mounts."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilotfish.node import mounts
from pilotfish.node.files.trees import remove_tree
from pilotfish.node.images.archive import BadImage
from pilotfish.node.images.layer import UnsafeArchive
from pilotfish.node.images.reference import InvalidReference
from pilotfish.node.images.store import Image, ImageInUse, ImageStore, UnknownImage
from pilotfish.node.paths import NodePaths
from support.oci_image import (
    Compression,
    archive_of,
    busybox,
    entry,
    layer,
    write_docker_archive,
    write_oci_layout,
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")

CONFIG = {
    "Entrypoint": ["/bin/entry"],
    "Cmd": ["default"],
    "Env": ["A=1"],
    "User": "app:staff",
    "WorkingDir": "/srv",
}
LAYERS = [
    layer({"etc/kept": b"1", "etc/removed": b"1", "data/old": b"1", "bin/entry": b"#!"}),
    layer(
        {"etc/.wh.removed": b"", "data/.wh..wh..opq": b"", "data/new": b"2"},
        entry("data", type=tarfile.DIRTYPE),
    ),
]


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images")


@pytest.fixture
def mounted(tmp_path: Path, store: ImageStore) -> Iterator[Path]:
    """A folder under which test mounts are made; they are gone afterwards."""
    folder = tmp_path / "mounted"
    folder.mkdir()
    yield folder
    mounts.unmount_below(folder)


def mount(store: ImageStore, image: Image, folder: Path) -> Path:
    for name in ("upper", "work", "rootfs"):
        (folder / name).mkdir(parents=True)
    store.mount(image, folder / "upper", folder / "work", folder / "rootfs")
    return folder / "rootfs"


def tree(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}


@pytest.mark.parametrize("how", ["", "gzip", "zstd"])
def test_an_oci_layouts_layers_lie_above_one_another(
    how: Compression, store: ImageStore, mounted: Path, tmp_path: Path
) -> None:
    image = store.load(write_oci_layout(tmp_path / "layout", LAYERS, CONFIG, how), "app:1")
    assert image.config.entrypoint == ("/bin/entry",)
    assert (image.config.user, image.config.working_dir) == ("app:staff", "/srv")
    root = mount(store, image, mounted)
    assert tree(root) == {"etc/kept", "data/new", "bin/entry"}


def test_all_forms_of_an_image_are_the_same_image(store: ImageStore, tmp_path: Path) -> None:
    layout = write_oci_layout(tmp_path / "layout", LAYERS, CONFIG)
    one = store.load(layout, "one")
    two = store.load(archive_of(layout, tmp_path / "oci.tar"), "two")
    three = store.load(write_docker_archive(tmp_path / "docker.tar", LAYERS, CONFIG), "three")
    assert one.id == two.id == three.id
    assert one.layers == two.layers == three.layers
    assert one.size_bytes == two.size_bytes == three.size_bytes > 0
    assert [image.reference for image in store.list()] == [
        "docker.io/library/one:latest",
        "docker.io/library/three:latest",
        "docker.io/library/two:latest",
    ]


@pytest.mark.skipif(shutil.which("skopeo") is None, reason="skopeo writes the archive")
def test_an_archive_that_skopeo_wrote_is_read(store: ImageStore, tmp_path: Path) -> None:
    layout = write_oci_layout(tmp_path / "layout", LAYERS, CONFIG)
    target = f"docker-archive:{tmp_path}/docker.tar:app:1"
    command = ["skopeo", "--insecure-policy", "copy", "-q", f"oci:{layout}", target]
    subprocess.run(command, check=True)
    assert len(store.load(tmp_path / "docker.tar", "app:1").layers) == 2


def test_a_root_file_system_is_an_image_as_a_folder_and_as_a_tar(
    store: ImageStore, mounted: Path, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    (root / "bin/busybox").write_bytes(busybox())
    (root / "bin/busybox").chmod(0o755)
    (root / "bin/sh").symlink_to("busybox")
    folder_image = store.load(root, "folder")
    tar_image = store.load(archive_of(root, tmp_path / "root.tar"), "tar")
    for name, image in (("folder", folder_image), ("tar", tar_image)):
        mounted_root = mount(store, image, mounted / name)
        command = ["chroot", str(mounted_root), "/bin/sh", "-c", "echo runs; echo x > /new"]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == (
            "runs\n"
        )
        assert not (root / "new").exists()


def test_an_image_is_not_removed_while_something_stands_on_it(
    store: ImageStore, mounted: Path, tmp_path: Path
) -> None:
    image = store.load(write_oci_layout(tmp_path / "layout", LAYERS, CONFIG), "app")
    mount(store, image, mounted)
    with pytest.raises(ImageInUse, match="is in use by /"):
        store.remove("app")
    mounts.unmount_below(mounted)
    store.remove("app")
    assert store.resolve("app") is None
    assert list((tmp_path / "images/layers").iterdir()) == []
    with pytest.raises(UnknownImage):
        store.remove("app")


def test_the_last_name_of_an_image_is_not_removed_while_a_pod_runs_it(
    store: ImageStore, mounted: Path, tmp_path: Path
) -> None:
    layout = write_oci_layout(tmp_path / "layout", LAYERS, CONFIG)
    image = store.load(layout, "app:1")
    store.load(layout, "app:stable")
    pods = NodePaths(state=mounted, run=tmp_path / "run")
    for name in ("web-1", "web-2", "web-3", "web-4"):
        pod = pods.pod(f"uid-{name}")
        mount(store, image, pod.container("main", 0).bundle)
        metadata = {"name": name, "namespace": "demo"}
        pod.manifest.write_text(json.dumps({"kind": "Pod", "metadata": metadata}))
    store.remove("app:1")
    users = "Pod demo/web-1, Pod demo/web-2, Pod demo/web-3 and 1 more"
    with pytest.raises(ImageInUse, match=f'app:stable" is in use by {users}'):
        store.remove("app:stable")
    assert store.resolve("app:stable") is not None
    mounts.unmount_below(mounted)
    store.remove("app:stable")


def test_layers_that_another_image_needs_stay(store: ImageStore, tmp_path: Path) -> None:
    store.load(write_oci_layout(tmp_path / "a", LAYERS, CONFIG), "a")
    store.load(write_oci_layout(tmp_path / "b", LAYERS[:1], CONFIG), "b")
    store.remove("a")
    assert len(list((tmp_path / "images/layers").iterdir())) == 1


def test_a_damaged_layer_leaves_nothing_behind(store: ImageStore, tmp_path: Path) -> None:
    layout = write_oci_layout(tmp_path / "layout", LAYERS, CONFIG, "")
    for blob in (layout / "blobs/sha256").iterdir():
        if b"data/new" in blob.read_bytes():
            blob.write_bytes(LAYERS[1].replace(b"data/new", b"data/NEW"))
    with pytest.raises((BadImage, tarfile.TarError)):
        store.load(layout, "app")
    assert store.list() == ()
    assert not [path for path in (tmp_path / "images/layers").iterdir() if "tmp" in path.name]


def test_an_archive_that_leads_outside_is_refused(store: ImageStore, tmp_path: Path) -> None:
    evil = write_oci_layout(tmp_path / "layout", [layer({"../../evil": b"x"})], {})
    with pytest.raises(UnsafeArchive, match="leads outside"):
        store.load(evil, "evil")


def test_the_name_host_is_taken(store: ImageStore, tmp_path: Path) -> None:
    with pytest.raises(InvalidReference, match="stands for the machine"):
        store.load(tmp_path, "host:1")


def test_deep_folders_load_or_are_refused_and_break_no_later_load(
    store: ImageStore, tmp_path: Path
) -> None:
    """Neither path nor recursion reaches the bottom of 3,000 folders."""
    root = tmp_path / "root"
    root.mkdir()
    try:
        with contextlib.chdir(root):
            for _ in range(3000):
                Path("d").mkdir()
                os.chdir("d")
        with pytest.raises(BadImage, match="File name too long"):
            store.load(root, "deep")
    finally:
        remove_tree(root / "d")
    deep = layer({"d/" * 2000 + "f": b"x"})
    store.load(write_oci_layout(tmp_path / "deep", [deep], {}), "deep")
    store.load(write_oci_layout(tmp_path / "other", LAYERS, CONFIG), "other")
    store.remove("deep")
    store.load(tmp_path / "other", "other")
    assert [image.reference for image in store.list()] == ["docker.io/library/other:latest"]


def test_ordinary_users_cannot_reach_the_layers(store: ImageStore, tmp_path: Path) -> None:
    store.load(write_oci_layout(tmp_path / "layout", LAYERS, CONFIG), "app")
    assert (tmp_path / "images/layers").stat().st_mode & 0o077 == 0

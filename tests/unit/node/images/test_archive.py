"""Finding out what `image load` was given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pilotfish.node.images.archive import BadImage, open_source
from support.oci_image import archive_of, layer, write_docker_archive, write_oci_layout

LAYERS = [layer({"a": b"1"}), layer({"b": b"2"})]


def test_a_layout_an_archive_of_it_and_a_docker_archive_say_the_same(tmp_path: Path) -> None:
    layout = write_oci_layout(tmp_path / "layout", LAYERS, {"Cmd": ["x"]}, "")
    sources = [
        layout,
        archive_of(layout, tmp_path / "oci.tar"),
        write_docker_archive(tmp_path / "docker.tar", LAYERS, {"Cmd": ["x"]}),
    ]
    for path in sources:
        with open_source(path) as source:
            assert source is not None
            assert source.config["config"] == {"Cmd": ["x"]}
            assert [one.open().read() for one in source.layers] == LAYERS


def test_the_manifest_of_this_machine_is_chosen(tmp_path: Path) -> None:
    layout = write_oci_layout(tmp_path / "layout", LAYERS, {"Cmd": ["right"]})
    index = json.loads((layout / "index.json").read_text())
    right = {**index["manifests"][0], "platform": {"os": "linux", "architecture": "amd64"}}
    wrong = {"digest": "sha256:" + "0" * 64, "platform": {"os": "linux", "architecture": "s390x"}}
    attestation = {"digest": "sha256:" + "1" * 64, "platform": {"architecture": "unknown"}}
    index["manifests"] = [attestation, wrong, right]
    (layout / "index.json").write_text(json.dumps(index))
    with open_source(layout) as source:
        assert source is not None
        assert source.config["config"]["Cmd"] == ["right"]


def test_any_other_folder_is_a_root_file_system(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    with open_source(tmp_path) as source:
        assert source is None


def test_a_damaged_configuration_is_noticed(tmp_path: Path) -> None:
    layout = write_oci_layout(tmp_path / "layout", LAYERS, {"Cmd": ["x"]})
    for blob in (layout / "blobs/sha256").iterdir():
        if b"diff_ids" in blob.read_bytes():
            blob.write_bytes(blob.read_bytes().replace(b'"x"', b'"y"'))
    with pytest.raises(BadImage, match="damaged"), open_source(layout):
        pass


def test_a_file_that_is_no_archive_is_refused_in_words(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("hello")
    with pytest.raises(BadImage, match="is no image") as caught, open_source(file):
        pass
    assert "\n" not in str(caught.value)


def test_blobs_outside_of_the_layout_are_not_read(tmp_path: Path) -> None:
    layout = write_oci_layout(tmp_path / "layout", LAYERS, {})
    index = {"manifests": [{"digest": "sha256:../../../etc/passwd"}]}
    (layout / "index.json").write_text(json.dumps(index))
    with pytest.raises(BadImage, match="malformed"), open_source(layout):
        pass

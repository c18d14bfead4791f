"""`pilotfish image load`, `list` and `remove`: the images that Pods of every cluster can run."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotfish.cli.output import (
    OutputOption,
    megabytes,
    print_json,
    print_table,
    show_help_without_command,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilotfish.node.images.store import ImageStore

app = typer.Typer(
    help="Load, list and remove images.",
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback()
def _root(context: typer.Context) -> None:
    show_help_without_command(context)


@app.command()
def load(
    source: Annotated[
        Path, typer.Argument(help="A root file system, or a docker-archive or OCI archive.")
    ],
    name: Annotated[str, typer.Option("--name", help="The name that Pods give as their image.")],
) -> None:
    """Make an image of a folder or an archive. An image of that name is replaced."""
    with _store("load images", str(source)) as store:
        image = store.load(source, name)
    layers = f"{len(image.layers)} layer{'s' if len(image.layers) > 1 else ''}"
    print(f"Loaded {image.reference} ({layers}, {megabytes(image.size_bytes)}).")


@app.command("list")
def list_images(output: OutputOption = "text") -> None:
    """List the loaded images. Image "host", the machine's programs, is always there."""
    with _store("list images", "the image store") as store:
        images = store.list()
    if output == "json":
        print_json(
            [
                {
                    "reference": image.reference,
                    "id": image.id,
                    "layers": len(image.layers),
                    "sizeBytes": image.size_bytes,
                    "loadedAt": image.loaded_at,
                }
                for image in images
            ]
        )
        return
    rows = [["host", "-", "-", "-"]]
    for image in images:
        digest = image.id.removeprefix("sha256:")[:12]
        rows.append([image.reference, digest, megabytes(image.size_bytes), image.loaded_at])
    print_table(["IMAGE", "ID", "SIZE", "LOADED"], rows)


@app.command()
def remove(name: Annotated[str, typer.Argument(help="The image's name.")]) -> None:
    """Remove an image and the layers that no other image needs."""
    with _store("remove images", repr(name)) as store:
        image = store.remove(name)
    print(f"Removed {image.reference}.")


@contextlib.contextmanager
def _store(purpose: str, where: str) -> Iterator[ImageStore]:
    """The store that all clusters share; its failures come out as a user's errors."""
    from pilotfish.cluster import paths, preflight
    from pilotfish.cluster.errors import EXIT_UNKNOWN, ClusterError
    from pilotfish.node.images.archive import BadImage
    from pilotfish.node.images.layer import UnsafeArchive
    from pilotfish.node.images.reference import InvalidReference
    from pilotfish.node.images.store import ImageInUse, ImageStore, UnknownImage

    preflight.check_root(purpose)
    try:
        yield ImageStore(paths.IMAGES)
    except UnknownImage as error:
        raise ClusterError(
            str(error), where, "see what is there with: pilotfish image list", EXIT_UNKNOWN
        ) from error
    except ImageInUse as error:
        raise ClusterError(str(error), where, "delete the Pods first, or wait for them") from error
    except InvalidReference as error:
        raise ClusterError(str(error), where, "use a name like shop/api:1.0") from error
    except (BadImage, UnsafeArchive) as error:
        raise ClusterError(
            str(error), where, "give a folder, or an archive as `docker save` writes it"
        ) from error
    except FileNotFoundError as error:
        raise ClusterError("no such file or folder", where, "check the path") from error

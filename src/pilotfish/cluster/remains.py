"""What is left of clusters on this machine, found without any file that a cluster wrote.

Folders, namespaces, the host's link with its guards, and processes: each says by itself to which
cluster it belongs. So a cluster is found, and can be removed, whatever was deleted or killed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilotfish.cluster import marks, paths
from pilotfish.network import links, namespaces, naming, node_link, safety
from pilotfish.network.netlink import Netlink

if TYPE_CHECKING:
    from pathlib import Path

    from pilotfish.cluster.marks import Marked


@dataclass(frozen=True)
class Remains:
    """All that carries a cluster's name. guarded: ranges that the host refuses to route."""

    folders: tuple[Path, ...]
    namespaces: tuple[str, ...]
    links: tuple[str, ...]
    guarded: tuple[str, ...]
    processes: tuple[Marked, ...]

    def __bool__(self) -> bool:
        return bool(self.described())

    def described(self) -> list[str]:
        """Each kind in words."""
        return [
            *(f"process {one.process.pid} ({one.component})" for one in self.processes),
            *(f"namespace {name}" for name in self.namespaces),
            *(f"link {name}" for name in self.links),
            *(f"route that refuses {prefix}" for prefix in self.guarded),
            *(f"folder {folder}" for folder in self.folders),
        ]


def find(name: str) -> Remains:
    """What there is of one cluster, whole or not."""
    folders = paths.Folders(name)
    link = naming.host_link(name)
    with Netlink() as host:
        found_links = [link] if links.find(host, link) is not None else []
        guarded = safety.guarded(host, link)
    return Remains(
        folders=tuple(folder for folder in (folders.run, folders.state) if _is_left(folder)),
        namespaces=tuple(node_link.owned_namespaces(name)),
        links=tuple(found_links),
        guarded=tuple(guarded),
        processes=tuple(marks.find(name)),
    )


def names() -> list[str]:
    """Every cluster of which something is left, whole or not.

    A link whose name had to be shortened does not tell its cluster; the other parts do.
    """
    found = {one.cluster for one in marks.find()}
    owners = (naming.cluster_of(namespace) for namespace in namespaces.names())
    found |= {owner for owner in owners if owner is not None}
    with Netlink() as host:
        for link in links.all_links(host):
            owner = link.name.removeprefix(naming.PREFIX)
            if owner != link.name and naming.host_link(owner) == link.name:
                found.add(owner)
    for root in (paths.STATE_ROOT, paths.RUN_ROOT):
        if root.is_dir():
            found |= {entry.name for entry in root.iterdir() if _is_cluster_folder(entry)}
    return sorted(found)


def _is_cluster_folder(entry: Path) -> bool:
    return _is_left(entry) and entry != paths.IMAGES and not entry.name.startswith(".")


def _is_left(folder: Path) -> bool:
    """Whether there is such a folder; an empty one that is a mount is the user's."""
    return folder.is_dir() and (any(folder.iterdir()) or not folder.is_mount())

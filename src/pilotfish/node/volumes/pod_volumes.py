"""The volumes of one Pod: set up before its containers, refreshed while they run."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from pathlib import Path

from pilotfish.client.errors import ApiError, Unreachable
from pilotfish.node import mounts
from pilotfish.node.context import NodeContext
from pilotfish.node.errors import ContainerConfigError, MountFailed
from pilotfish.node.expansion import expand
from pilotfish.node.object_fetch import fetch
from pilotfish.node.oci.mounts import Mount, bind
from pilotfish.node.paths import PodPaths
from pilotfish.node.record import counted_containers
from pilotfish.node.volumes import atomic, bound
from pilotfish.node.volumes.host_path import open_host_path
from pilotfish.node.volumes.payload import volume_files, wanted
from pilotfish.node.volumes.sub_path import open_sub_path
from pilotfish.node.volumes.tokens import PodTokens
from pilotfish.objects.meta import Object, namespace_of
from pilotfish.objects.pod_resources import pod_limits
from pilotfish.objects.quantities import parse_quantity

log = logging.getLogger(__name__)

_FILE_KINDS = ("configMap", "secret", "downwardAPI", "projected")
_PROPAGATION = {
    "HostToContainer": (mounts.MS_SLAVE, "rslave"),
    "Bidirectional": (0, "rshared"),
}
_NO_PROPAGATION = (mounts.MS_PRIVATE, "rprivate")


class PodVolumes:
    """`folders` has every volume that is set up, with its folder; none for a hostPath."""

    def __init__(self, node: NodeContext, paths: PodPaths) -> None:
        self.folders: dict[str, Path | None] = {}
        self._node = node
        self._paths = paths
        self._tokens = PodTokens(node.client)

    async def set_up(self, pod: Object, pod_ips: tuple[str, ...]) -> None:
        """Make every volume of the Pod ready; those that are stay as they are.

        Raises MountFailed with the FailedMount Event's text.
        """
        volumes = [
            volume
            for volume in pod.get("spec", {}).get("volumes") or []
            if volume["name"] not in self.folders
        ]
        await asyncio.gather(*(self._set_up_one(pod, volume, pod_ips) for volume in volumes))

    async def refresh(self, pod: Object, pod_ips: tuple[str, ...]) -> None:
        """Bring the files of configMap and such volumes up to date; trouble is only logged."""
        for volume in pod.get("spec", {}).get("volumes") or []:
            if not any(kind in volume for kind in _FILE_KINDS):
                continue
            try:
                await self._write_files(pod, volume, pod_ips)
            except (MountFailed, OSError) as error:
                log.warning("pod %s: volume %s: %s", pod["metadata"]["name"], volume["name"], error)

    def needs_refresh(self, pod: Object) -> bool:
        return any(
            kind in volume
            for volume in pod.get("spec", {}).get("volumes") or []
            for kind in _FILE_KINDS
        )

    async def _set_up_one(self, pod: Object, volume: Object, pod_ips: tuple[str, ...]) -> None:
        name = volume["name"]
        try:
            self.folders[name] = await self._prepare(pod, volume, pod_ips)
        except (MountFailed, OSError) as error:
            message = f'MountVolume.SetUp failed for volume "{name}" : {error}'
            raise MountFailed(message) from error

    async def _prepare(self, pod: Object, volume: Object, pod_ips: tuple[str, ...]) -> Path | None:
        folder = self._paths.volumes / str(volume["name"])
        if "emptyDir" in volume:
            settings = volume["emptyDir"] or {}
            size_bytes = memory_volume_bytes(settings, pod, self._node.facts.memory_bytes)
            _make_empty_dir(folder, settings, size_bytes, _fs_group(pod))
            return folder
        if "hostPath" in volume:
            os.close(open_host_path(volume["hostPath"]))
            return None
        if any(kind in volume for kind in _FILE_KINDS):
            await self._write_files(pod, volume, pod_ips)
            return folder
        kinds = ", ".join(key for key in volume if key != "name")
        raise MountFailed(
            f"volumes of type {kinds} are not supported here; emptyDir, hostPath, configMap, "
            "secret, downwardAPI and projected are"
        )

    async def _write_files(self, pod: Object, volume: Object, pod_ips: tuple[str, ...]) -> None:
        try:
            sources = await fetch(self._node, namespace_of(pod), wanted(volume))
            tokens = {}
            for part in (volume.get("projected") or {}).get("sources") or []:
                if token := part.get("serviceAccountToken"):
                    tokens[token["path"]] = await self._tokens.get(pod, token)
        except (ContainerConfigError, ApiError, Unreachable) as error:
            raise MountFailed(str(error)) from error
        facts = self._node.facts_of(pod_ips)
        files = volume_files(pod, volume, sources, tokens, facts)
        atomic.write(self._paths.volumes / volume["name"], files, _fs_group(pod))

    def mounts_of(
        self, pod: Object, container: Object, env: Mapping[str, str], folder: Path
    ) -> list[Mount]:
        """The container's volumeMounts; sources that are a subPath are bound in `folder`.

        The caller releases the folder, also when this raises ContainerConfigError, OSError.
        """
        volumes = {volume["name"]: volume for volume in pod.get("spec", {}).get("volumes") or []}
        result = []
        for number, entry in enumerate(container.get("volumeMounts") or []):
            name = entry["name"]
            if name not in self.folders:
                raise ContainerConfigError(f'volume "{name}" of container is not mounted')
            volume = volumes[name]
            propagation, option = _PROPAGATION.get(
                entry.get("mountPropagation", ""), _NO_PROPAGATION
            )
            sub_path = entry.get("subPath") or expand(entry.get("subPathExpr", ""), env)
            source = self._open(volume)
            try:
                if sub_path:
                    path = _bind_sub_path(source, sub_path, folder / str(number), propagation)
                else:
                    # Nothing that a Pod can write to lies on the way to a volume of the node's;
                    # that to a hostPath is the Pod author's word, as in Kubernetes.
                    path = str(self.folders[name] or volume["hostPath"]["path"])
            finally:
                os.close(source)
            read_only = bool(entry.get("readOnly")) or any(kind in volume for kind in _FILE_KINDS)
            recursive = entry.get("recursiveReadOnly") in ("Enabled", "IfPossible")
            mounted = bind(entry["mountPath"], path, read_only, option, recursive=recursive)
            result.append(mounted)
        return result

    def _open(self, volume: Object) -> int:
        """A descriptor of the volume's folder or file. Raises ContainerConfigError, OSError."""
        folder = self.folders[volume["name"]]
        if folder is not None:
            return os.open(folder, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            return open_host_path(volume["hostPath"])
        except MountFailed as error:
            raise ContainerConfigError(str(error)) from error


def _bind_sub_path(volume: int, sub_path: str, target: Path, propagation: int) -> str:
    """Bind a part of a volume at `target`, which the Pod cannot reach; that path."""
    part = open_sub_path(volume, sub_path)
    try:
        return str(bound.bind(part, target.parent, target.name, propagation))
    finally:
        os.close(part)


def _fs_group(pod: Object) -> int | None:
    group = (pod.get("spec", {}).get("securityContext") or {}).get("fsGroup")
    return int(group) if group is not None else None


def memory_volume_bytes(settings: Object, pod: Object, node_bytes: int) -> int:
    """How large an emptyDir in memory may become.

    The least of the node's memory, the Pod's memory limit if each container has one, and
    sizeLimit, as the kubelet has it (SizeMemoryBackedVolumes).
    """
    sizes = [node_bytes]
    limits = [(one.get("resources") or {}).get("limits") or {} for one in counted_containers(pod)]
    if all("memory" in of_container for of_container in limits):
        sizes.append(pod_limits(pod)["memory"])
    asked = int(parse_quantity(str(settings.get("sizeLimit") or 0)))
    return min([*sizes, asked] if asked > 0 else sizes)


def _make_empty_dir(folder: Path, settings: Object, size_bytes: int, group: int | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if settings.get("medium") == "Memory" and not os.path.ismount(folder):
        flags = mounts.MS_NODEV | mounts.MS_NOSUID
        mounts.mount("tmpfs", folder, "tmpfs", flags, f"size={size_bytes}")
    folder.chmod(0o777)
    if group is not None:
        os.chown(folder, -1, group)
        folder.chmod(0o2777)

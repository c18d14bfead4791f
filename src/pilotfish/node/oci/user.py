"""Who a container runs as: securityContext first, the image's user second.

Names are looked up in the image's own /etc/passwd and /etc/group.
"""

from __future__ import annotations

from dataclasses import dataclass

from pilotfish.node.errors import ContainerConfigError
from pilotfish.objects.meta import Object
from pilotfish.objects.numbers import whole_number


@dataclass(frozen=True)
class User:
    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    home: str = ""


@dataclass(frozen=True)
class _PasswdEntry:
    name: str
    uid: int
    gid: int
    home: str


def _passwd_entries(text: str) -> list[_PasswdEntry]:
    entries = []
    for line in text.splitlines():
        fields = line.split(":")
        if len(fields) >= 6 and _is_id(fields[2]) and _is_id(fields[3]):
            entry = _PasswdEntry(fields[0], int(fields[2]), int(fields[3]), fields[5])
            entries.append(entry)
    return entries


def _group_id(text: str, name: str) -> int | None:
    for line in text.splitlines():
        fields = line.split(":")
        if len(fields) >= 3 and fields[0] == name and _is_id(fields[2]):
            return int(fields[2])
    return None


def _groups_of(text: str, user: str) -> list[int]:
    groups = []
    for line in text.splitlines():
        fields = line.split(":")
        if len(fields) >= 4 and _is_id(fields[2]) and user in fields[3].split(","):
            groups.append(int(fields[2]))
    return groups


def _image_user(image_user: str, passwd: str, group: str) -> User:
    """The `User` of an image: "", "name", "uid", each with an optional ":group"."""
    wanted, _, wanted_group = image_user.partition(":")
    entries = _passwd_entries(passwd)
    if wanted == "":
        entry = next((entry for entry in entries if entry.uid == 0), None)
        uid = 0
    elif (number := whole_number(wanted)) is not None:
        uid = number
        entry = next((entry for entry in entries if entry.uid == uid), None)
    else:
        entry = next((entry for entry in entries if entry.name == wanted), None)
        if entry is None:
            raise ContainerConfigError(
                f"unable to find user {wanted}: no matching entries in the passwd file"
            )
        uid = entry.uid
    gid = entry.gid if entry else 0
    group_number = whole_number(wanted_group)
    if group_number is not None:
        gid = group_number
    elif wanted_group:
        found = _group_id(group, wanted_group)
        if found is None:
            raise ContainerConfigError(
                f"unable to find group {wanted_group}: no matching entries in the group file"
            )
        gid = found
    groups = _groups_of(group, entry.name) if entry and not wanted_group else []
    return User(uid, gid, tuple(groups), entry.home if entry else "/")


def container_user(
    pod: Object, container: Object, image_user: str, passwd: str, group: str
) -> User:
    """The process' user; ContainerConfigError for an unknown name or root where forbidden."""
    pod_context = pod.get("spec", {}).get("securityContext") or {}
    context = {**pod_context, **(container.get("securityContext") or {})}
    run_as_user = context.get("runAsUser")
    if run_as_user is None:
        user = _image_user(image_user, passwd, group)
    else:
        user = _image_user(str(run_as_user), passwd, group)
    gid = context.get("runAsGroup", user.gid)
    groups = list(user.groups)
    if pod_context.get("supplementalGroupsPolicy") == "Strict":
        groups = []
    if pod_context.get("fsGroup") is not None:
        groups.append(int(pod_context["fsGroup"]))
    groups += [int(group_id) for group_id in pod_context.get("supplementalGroups") or []]
    if context.get("runAsNonRoot") and user.uid == 0:
        name, namespace = pod["metadata"]["name"], pod["metadata"].get("namespace", "")
        which = f'(pod: "{name}_{namespace}({pod["metadata"].get("uid", "")})"'
        which += f", container: {container['name']})"
        if run_as_user is not None:
            raise ContainerConfigError(f"container's runAsUser breaks non-root policy {which}")
        raise ContainerConfigError(f"container has runAsNonRoot and image will run as root {which}")
    return User(user.uid, int(gid), tuple(sorted(set(groups) - {int(gid)})), user.home)


def _is_id(text: str) -> bool:
    return whole_number(text) is not None

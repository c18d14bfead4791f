"""The user's kubeconfig: a cluster's context comes in on `up` and goes out on `down`.

The rules of kubectl and kind: $KUBECONFIG may list several files and the first that exists is
written (the last one when none exists); without it the file is ~/.kube/config. Everything of other
clusters stays as it is. Changes happen under the same `<file>.lock` that kubectl takes, and replace
the file in one step, so that a reader never sees half of it. All of it is done with the rights of
the file's owner: behind sudo it is the person's, and stays so.
"""

from __future__ import annotations

import base64
import contextlib
import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pilotfish.client.invoker import as_owner_of, kubeconfig_files, owner_to_be
from pilotfish.cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Config = dict[str, Any]

_PREFIX = "pilotfish-"
_MEND = "fix or move it, or point KUBECONFIG at another file"
_LOCK_WAIT_S = 5.0
_LOCK_POLL_S = 0.02
# The context that was current before ours, so that `down` can give it back. kubeconfig's
# `extensions` are for this: kubectl carries them along untouched.
_EXTENSION = "pilotfish.dev"


def context_name(cluster: str) -> str:
    """The name of the context, cluster and user entries of a cluster."""
    return f"{_PREFIX}{cluster}"


def cluster_of(context: str) -> str:
    """The name of the cluster whose context that is; "" for one of another program."""
    return context.removeprefix(_PREFIX) if context.startswith(_PREFIX) else ""


def target_path(environment: Mapping[str, str]) -> Path:
    """The file to write, from $KUBECONFIG or the home folder."""
    files = kubeconfig_files(environment)
    return next((path for path in files if path.exists()), files[-1])


def with_context(
    config: Config, name: str, server: str, ca: bytes, cert: bytes, key: bytes
) -> Config:
    """`config` with cluster, user and context `name` set, and `name` current.

    ca, cert, key: PEM; they go in as base64, so that the file works alone.
    """
    previous = config.get("current-context") or ""
    if previous == name:
        previous = _previous_context(config, name)
    result = {"apiVersion": "v1", "kind": "Config", **config}
    _set_entry(
        result,
        "clusters",
        name,
        "cluster",
        {"certificate-authority-data": _base64(ca), "server": server},
    )
    context: Config = {"cluster": name, "user": name}
    if previous:
        context["extensions"] = [_remembers(previous)]
    _set_entry(result, "contexts", name, "context", context)
    _set_entry(
        result,
        "users",
        name,
        "user",
        {"client-certificate-data": _base64(cert), "client-key-data": _base64(key)},
    )
    result["current-context"] = name
    return result


def without_context(config: Config, name: str) -> Config:
    """`config` without cluster, user and context `name`.

    If `name` was current, the context that was current before it is again, when it still exists.
    Contexts that came after `name` give back that one, too: clusters go in any order.
    """
    previous = _previous_context(config, name)
    result = dict(config)
    for section in ("clusters", "contexts", "users"):
        entries = config.get(section)
        if isinstance(entries, list):
            result[section] = [
                _relinked(entry, name, previous) for entry in entries if _entry_name(entry) != name
            ]
    if config.get("current-context") == name:
        contexts = {_entry_name(entry) for entry in result.get("contexts") or []}
        result["current-context"] = previous if previous in contexts else ""
    return result


def has_context(config: Config, name: str) -> bool:
    """Whether any entry of `name` is in the file."""
    return any(
        _entry_name(entry) == name
        for section in ("clusters", "contexts", "users")
        for entry in config.get(section) or []
    )


def check(path: Path) -> None:
    """Raise ClusterError now if `add` could not write the file at `path`."""
    # Reads it under its lock, which is a file beside it: all but the writing itself.
    change_file(path, lambda config: config)


def add(path: Path, name: str, server: str, ca: bytes, cert: bytes, key: bytes) -> None:
    """Merge context `name` into the file at `path` and make it current."""
    change_file(path, lambda config: with_context(config, name, server, ca, cert, key))


def remove(path: Path, name: str) -> bool:
    """Take context `name` out of the file at `path`. Returns whether it was there."""
    with _as_owner(path):
        if not path.exists() or not has_context(read(path), name):
            return False
        _change_file(path, lambda config: without_context(config, name))
    return True


def read(path: Path) -> Config:
    """The file's content; an absent or empty file is an empty configuration."""
    import yaml

    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return {}
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        loaded = yaml.load(text, loader)
    except yaml.YAMLError as error:
        raise _unreadable(path, f"is not YAML ({_one_line(error)})") from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise _unreadable(path, "does not hold a mapping")
    return cast("Config", loaded)


def change_file(path: Path, change: Callable[[Config], Config]) -> None:
    """Apply `change` to the file under its lock, replacing it in one step (mode 0600).

    Raises ClusterError when it cannot be read or written.
    """
    with _as_owner(path):
        _change_file(path, change)


@contextlib.contextmanager
def _as_owner(path: Path) -> Iterator[None]:
    """Have the rights of the file's owner; what the kernel refuses is a ClusterError."""
    try:
        with as_owner_of(path, os.environ):
            yield
    except PermissionError as error:
        owner = owner_to_be(path, os.environ)
        mend = f"give it to its owner: sudo chown -R {owner[0]} {path.parent}" if owner else _MEND
        raise _unreadable(path, f"cannot be written ({error.strerror})", mend) from error
    except OSError as error:
        raise _unreadable(path, f"cannot be written ({error.strerror})") from error


def _change_file(path: Path, change: Callable[[Config], Config]) -> None:
    import yaml

    # A kubeconfig is often a link into a dotfiles folder: write what it leads to.
    real = path.resolve()
    real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(real):
        before = read(real)
        after = change(before)
        if after == before:
            return
        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        text = yaml.dump(
            after, Dumper=dumper, sort_keys=False, default_flow_style=False, allow_unicode=True
        )
        _replace(real, text.encode())


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}.pilotfish")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if path.exists():
                _keep_owner(descriptor, path.stat())
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _keep_owner(descriptor: int, before: os.stat_result) -> None:
    """Give a new file the owner and mode of the one it replaces."""
    try:
        os.fchown(descriptor, before.st_uid, before.st_gid)
    except PermissionError:
        # Its group is not one of its owner's: then it stays readable by the owner alone.
        return
    os.fchmod(descriptor, stat.S_IMODE(before.st_mode))


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = path.with_name(path.name + ".lock")
    deadline = time.monotonic() + _LOCK_WAIT_S
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            break
        except FileExistsError:
            if time.monotonic() > deadline:
                raise ClusterError(
                    "the kubeconfig is locked",
                    str(lock),
                    "if no kubectl or pilotfish is running, delete that file and try again",
                ) from None
            time.sleep(_LOCK_POLL_S)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _unreadable(path: Path, what: str, mend: str = _MEND) -> ClusterError:
    return ClusterError(f"the kubeconfig {what}", str(path), mend)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _remembers(previous: str) -> Config:
    """The extension of a context that names the one that was current before it."""
    return {"name": _EXTENSION, "extension": {"previous-context": previous}}


def _previous_context(config: Config, name: str) -> str:
    for entry in config.get("contexts") or []:
        if _entry_name(entry) == name:
            for extension in entry.get("context", {}).get("extensions") or []:
                if extension.get("name") == _EXTENSION:
                    return str(extension.get("extension", {}).get("previous-context", ""))
    return ""


def _relinked(entry: Any, gone: str, previous: str) -> Any:
    """The entry; a context that remembers `gone` remembers `previous` instead."""
    context = entry.get("context") if isinstance(entry, dict) else None
    if not isinstance(context, dict):
        return entry
    extensions = context.get("extensions") or []
    if _remembers(gone) not in extensions:
        return entry
    kept = [each for each in extensions if each != _remembers(gone)]
    if previous:
        kept.append(_remembers(previous))
    remaining = {key: value for key, value in context.items() if key != "extensions"}
    return {**entry, "context": {**remaining, "extensions": kept} if kept else remaining}


def _set_entry(config: Config, section: str, name: str, field: str, value: Config) -> None:
    entries = [entry for entry in config.get(section) or [] if _entry_name(entry) != name]
    config[section] = [*entries, {"name": name, field: value}]


def _entry_name(entry: object) -> str:
    return str(entry.get("name", "")) if isinstance(entry, dict) else ""


def _base64(pem: bytes) -> str:
    return base64.b64encode(pem).decode()

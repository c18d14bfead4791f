"""Why a Pod is not ready, in a line for people, and what to do. Pure.

Source of conditions, reasons and states: Kubernetes documentation, "Pod Lifecycle"; the kubelet's
Events say what a probe was answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pilotfish.objects.conditions import condition
from pilotfish.objects.meta import Object, is_deleting, name_of, namespace_of
from pilotfish.objects.pods import host_node, is_ready, is_terminal, pod_ips

_NO_IMAGE = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName")
_MAX_CHARACTERS = 300


class Why(NamedTuple):
    """A reason, and what to do about it ("" where it is only a matter of time)."""

    what: str
    mend: str = ""


def why_unready(pod: Object, nodes: Mapping[str, Object], warning: str = "") -> Why | None:
    """Why a Pod gets no connections; None if it is ready.

    Args:
        nodes: all Nodes by name.
        warning: message of the last Event of type Warning about the Pod.
    """
    reason = next(_reasons(pod, nodes, warning), None)
    if reason is None:
        return None
    return Why(_short(reason.what), reason.mend)


def _reasons(pod: Object, nodes: Mapping[str, Object], warning: str) -> Iterator[Why]:
    """The most telling one first."""
    name, namespace = name_of(pod), namespace_of(pod)
    describe = f"kubectl describe pod {name} -n {namespace}"
    status = pod.get("status") or {}
    if is_deleting(pod):
        yield Why("terminating")
    if is_terminal(pod):
        yield Why(f"has ended ({status['phase']})", f"kubectl logs {name} -n {namespace}")
    if not host_node(pod):
        scheduled = condition(pod, "PodScheduled") or {}
        message = scheduled.get("message") or "waits for a node"
        yield Why(f"not scheduled: {message}", describe)
    elif (node := nodes.get(host_node(pod))) is None or not is_ready(node):
        gone = "is gone" if node is None else "is not ready"
        yield Why(f"its node {host_node(pod)} {gone}", "see what runs with: pilotfish status")
    if is_ready(pod):
        return
    for kind in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(kind) or ():
            yield from _of_container(container, pod, describe, warning)
    if not pod_ips(pod):
        yield Why("has no address yet", describe if warning else "")
    for gate in (pod.get("spec") or {}).get("readinessGates") or ():
        if (condition(pod, gate["conditionType"]) or {}).get("status") != "True":
            yield Why(
                f"readiness gate {gate['conditionType']} is not True",
                "it is set by whoever defined the gate, in the Pod's status.conditions",
            )
    told = condition(pod, "Ready") or {}
    yield Why(told.get("message") or told.get("reason") or "not ready", describe)


def _of_container(container: Object, pod: Object, describe: str, warning: str) -> Iterator[Why]:
    name = container["name"]
    of_pod = f"{name_of(pod)} -n {namespace_of(pod)} -c {name}"
    state = container.get("state") or {}
    ended = state.get("terminated")
    if container.get("ready") or (ended and not ended.get("exitCode") and _is_init(pod, name)):
        return
    if waiting := state.get("waiting"):
        yield _of_waiting(name, waiting, container, of_pod, describe)
    elif ended:
        yield Why(
            f"container {name} has ended with exit code {ended.get('exitCode')}",
            f"kubectl logs {of_pod}",
        )
    elif "running" in state:
        yield _of_running(name, pod, container, describe, warning)


def _of_waiting(name: str, waiting: Object, container: Object, of_pod: str, describe: str) -> Why:
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    if reason == "CrashLoopBackOff":
        last = (container.get("lastState") or {}).get("terminated") or {}
        code = f", last with exit code {last['exitCode']}" if "exitCode" in last else ""
        return Why(
            f"container {name} ends again and again{code} (CrashLoopBackOff)",
            f"kubectl logs {of_pod} --previous",
        )
    if reason in _NO_IMAGE:
        return Why(
            f"image {container.get('image', '')!r} cannot be had ({reason})",
            f"check its name; Pilotfish's own are listed by: pilotfish image list; {describe}",
        )
    if reason in ("ContainerCreating", "PodInitializing", ""):
        return Why(f"container {name} is being created", "")
    return Why(f"container {name}: {reason}{': ' if message else ''}{message}", describe)


def _of_running(name: str, pod: Object, container: Object, describe: str, warning: str) -> Why:
    said = _after(warning, "robe failed: ")
    if container.get("started") is False:
        return Why(f"container {name} is starting: its startup probe has not succeeded", describe)
    if said:
        return Why(f"readiness probe of container {name} fails: {said}", describe)
    if _has_probe(pod, name):
        return Why(f"readiness probe of container {name} has not succeeded", describe)
    return Why(f"container {name} is not ready", describe)


def _has_probe(pod: Object, name: str) -> bool:
    containers = (pod.get("spec") or {}).get("containers") or ()
    return any(each["name"] == name and each.get("readinessProbe") for each in containers)


def _is_init(pod: Object, name: str) -> bool:
    containers = (pod.get("spec") or {}).get("initContainers") or ()
    return any(each["name"] == name for each in containers)


def _after(text: str, mark: str) -> str:
    return text.partition(mark)[2].strip()


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MAX_CHARACTERS else f"{text[: _MAX_CHARACTERS - 1]}…"

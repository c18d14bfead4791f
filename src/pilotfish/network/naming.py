"""The names of a cluster's namespaces and links: what belongs to whom is read off the name."""

from __future__ import annotations

import hashlib
import re

from pilotfish.network.links import MAX_NAME

PREFIX = "pf-"
_OWNED = r"wires|node-[0-9]+|[0-9a-f]{12}"


def node_namespace(cluster: str, node: str) -> str:
    """ "default", "node-1" → "pf-default-node-1"."""
    return f"pf-{cluster}-{node}"


def pod_namespace(cluster: str, pod_uid: str) -> str:
    """ "default" and the Pod's metadata.uid → "pf-default-0123456789ab"."""
    return f"pf-{cluster}-{pod_uid.replace('-', '')[:12]}"


def wires_namespace(cluster: str) -> str:
    """The namespace of the cluster's bridge: "pf-default-wires"."""
    return f"pf-{cluster}-wires"


def host_link(cluster: str) -> str:
    """The host's link to the cluster, which has 192.168.64.1: "pf-default"."""
    return link_name(f"pf-{cluster}")


def pod_link(pod_uid: str) -> str:
    """The name of the node's end of a Pod's veth: "veth01234567"."""
    return f"veth{pod_uid.replace('-', '')[:8]}"


def link_name(text: str) -> str:
    """text where it fits into a link's name, else a part of it and a hash of the whole."""
    if len(text) <= MAX_NAME:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{text[: MAX_NAME - 9]}-{digest}"


def belongs_to(cluster: str, namespace: str) -> bool:
    """Whether a namespace is one of the cluster's nodes or Pods, or its wires.

    Not a mere prefix: cluster "a" does not own the namespaces of cluster "a-b".
    """
    return cluster_of(namespace) == cluster


def cluster_of(namespace: str) -> str | None:
    """The cluster to which a namespace belongs by its name; None for another program's.

    The last part is a node, Pod or the wires, so "pf-a-b-wires" is of cluster "a-b".
    """
    match = re.fullmatch(rf"{PREFIX}(.+)-({_OWNED})", namespace)
    return match[1] if match else None

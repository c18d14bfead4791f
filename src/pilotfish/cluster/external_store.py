"""The cluster's place in an etcd of the user's: found or taken by `up`, given back by `down`.

What is written down there of a cluster is its name and ranges, so that it can go on on another
machine with the addresses that its Services and Pods have.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pilotfish.apiserver.store.etcd import tenancy
from pilotfish.apiserver.store.etcd.address import AddressError, EtcdAddress, parse_address
from pilotfish.apiserver.store.etcd.channel import EtcdError, UnreachableError
from pilotfish.apiserver.store.etcd.ownership import LEASE_S
from pilotfish.apiserver.store.interface import StoreFailedError
from pilotfish.cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from pilotfish.cluster.state import ClusterState

_T = TypeVar("_T")
# gRPC's INVALID_ARGUMENT (etcd's "user name is empty"), PERMISSION_DENIED and UNAUTHENTICATED.
_NOT_LET_IN = (3, 7, 16)


@dataclass(frozen=True)
class Found:
    """A cluster whose state is in a store already."""

    nodes: int
    created: str
    ip_family: str
    node_network: str
    pod_network: str
    service_network: str


def address_of(store: str) -> EtcdAddress:
    """Read the value of --store. Raises ClusterError."""
    try:
        return parse_address(store)
    except AddressError as error:
        raise ClusterError(str(error), f"--store {store}", error.mend) from None


def find(store: str, name: str) -> Found | None:
    """What there is of cluster `name`; None where the store is empty.

    Raises ClusterError when the store cannot be asked, or belongs to another.
    """
    address = address_of(store)
    record = _ask(address, tenancy.find(address))
    if record is None:
        return None
    if record.get("name") != name:
        raise _others(address, str(record.get("name")), name)
    _wait_until_nobody_runs_it(address, name)
    networks = (_with_comma(record, key) for key in ("nodeCIDR", "podCIDR", "serviceCIDR"))
    created, ip_family = str(record["created"]), str(record["ipFamily"])
    return Found(int(record["nodes"]), created, ip_family, *networks)


def _wait_until_nobody_runs_it(address: EtcdAddress, name: str) -> None:
    """Give the lease of a machine that is lost the time to end. Raises ClusterError if it stays."""
    # After a restart of etcd every lease is as good as new.
    end = time.monotonic() + 1.5 * LEASE_S
    while owner := _ask(address, tenancy.owner(address)):
        if time.monotonic() > end:
            raise ClusterError(
                f"the cluster runs on another machine: {owner}",
                f"{address}, cluster {name!r}",
                "take it down there, or give this one another name and another part of the store",
            )
        time.sleep(0.5)


def claim(cluster: ClusterState) -> None:
    """Write down that the store is this cluster's. Raises ClusterError when it is not free."""
    address = address_of(cluster.store)
    if not _ask(address, tenancy.claim(address, _record(cluster))):
        raise _others(address, "another", cluster.name)


def check_ours(cluster: ClusterState) -> None:
    """See that the store is there and still this cluster's. Raises ClusterError."""
    address = address_of(cluster.store)
    record = _ask(address, tenancy.find(address))
    if record != _record(cluster):
        raise ClusterError(
            "the store has nothing of this cluster" if record is None else "another cluster has it",
            str(address),
            f"bring that etcd's data back, or start over: pilotfish down --name {cluster.name}",
        )
    owner = _ask(address, tenancy.owner(address))
    if owner not in ("", cluster.owner):
        raise ClusterError(
            f"the cluster runs on another machine: {owner}",
            f"{address}, cluster {cluster.name!r}",
            f"forget it on this one: pilotfish down --name {cluster.name}",
        )


def remove(cluster: ClusterState) -> int:
    """Delete the cluster's keys; how many there were. Raises ClusterError.

    Deletes nothing where the keys are another cluster's, or this one goes on on another machine.
    """
    address = address_of(cluster.store)
    return _ask(address, tenancy.remove(address, _record(cluster), cluster.owner))


def _record(cluster: ClusterState) -> dict[str, Any]:
    return {
        "name": cluster.name,
        "nodes": len(cluster.nodes),
        "created": cluster.created,
        "ipFamily": cluster.ip_family,
        "nodeCIDR": cluster.network.node_ranges,
        "podCIDR": cluster.network.pod_ranges,
        "serviceCIDR": cluster.network.service_ranges,
    }


def _with_comma(record: dict[str, Any], key: str) -> str:
    return ",".join(str(each) for each in record[key])


def _others(address: EtcdAddress, owner: str, name: str) -> ClusterError:
    return ClusterError(
        f"the store belongs to another cluster: {owner}",
        str(address),
        f"give this one a part of its own: --store {address}-{name}, or take the name {owner}",
    )


def _ask(address: EtcdAddress, question: Coroutine[Any, Any, _T]) -> _T:
    where = str(address)
    try:
        return asyncio.run(question)
    except tenancy.OccupiedError as error:
        raise ClusterError(
            "the store holds keys of something else",
            f"{where}: {error.key}",
            f"give the cluster a part of its own: --store {where}-pilotfish",
        ) from None
    except UnreachableError as error:
        raise ClusterError(
            f"the store cannot be reached: {error}",
            where,
            "start etcd, or fix the address; `etcdctl endpoint status` helps to see",
        ) from None
    except EtcdError as error:
        mend = "look into etcd's log"
        if error.code in _NOT_LET_IN:
            mend = "show a certificate that etcd trusts: etcds://…?ca=FILE&cert=FILE&key=FILE"
        raise ClusterError(f"etcd refuses: {error}", where, mend) from None
    except StoreFailedError as error:
        raise ClusterError(str(error), where, "use a newer etcd") from None
    except OSError as error:
        raise ClusterError(
            f"a certificate or key cannot be used: {error.strerror or error}",
            ", ".join(filter(None, (address.ca, address.cert, address.key))) or where,
            "name PEM files that root can read",
        ) from None

"""Address families of a Service: what ipFamilyPolicy and ipFamilies come to on this cluster. Pure.

https://kubernetes.io/docs/concepts/services-networking/dual-stack/#services
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pilotfish.apiserver.validation.causes import Cause, invalid
from pilotfish.apiserver.validation.formats import family

SINGLE, PREFER, REQUIRE = "SingleStack", "PreferDualStack", "RequireDualStack"
HEADLESS = "None"

Spec = dict[str, Any]


def settle_families(spec: Spec, before: Spec | None, cluster: Sequence[str]) -> list[Cause]:
    """Fill in `ipFamilyPolicy` and `ipFamilies`, in place; returns why that cannot be done.

    Args:
        spec: of a Service that is not of type ExternalName.
        before: the stored Service's, None for a new one.
        cluster: the cluster's families, the primary one first.
    """
    families: list[str] = list(spec.get("ipFamilies") or ())
    addresses: list[str] = spec.get("clusterIPs") or []
    policy = spec.get("ipFamilyPolicy")
    causes = _families_of_addresses(families, addresses)
    if policy in (None, "", SINGLE):
        causes += [
            invalid(
                "spec.ipFamilyPolicy",
                policy,
                f"must be RequireDualStack or PreferDualStack when 2 '{field}' are specified",
            )
            for field, values in (("clusterIPs", addresses), ("ipFamilies", families))
            if len(values) == 2 and not _keeps(spec, before)
        ]
    if causes:
        return causes
    if spec.get("clusterIP") == HEADLESS and not spec.get("selector"):
        # Its endpoints are made by hand, and may have addresses that the cluster itself has not.
        policy = policy or REQUIRE
        families = families or [cluster[0]]
        both = policy != SINGLE
    else:
        if before is not None and not before.get("selector") and _keeps(spec, before):
            # Headless without selector it had both; with one it has the cluster's.
            families = [name for name in families if name in cluster] or [cluster[0]]
            policy = policy if len(cluster) > 1 or policy == PREFER else SINGLE
        for index, name in enumerate(families):
            if name not in cluster:
                at = f"spec.ipFamilies[{index}]"
                causes.append(invalid(at, name, "not configured on this cluster"))
        policy = policy or SINGLE
        families = families or [cluster[0]]
        both = policy != SINGLE and len(cluster) > 1
        if policy == REQUIRE and len(cluster) < 2:
            why = "this cluster is not configured for dual-stack services"
            causes.append(invalid("spec.ipFamilyPolicy", policy, why))
    if both and len(families) == 1:
        families.append("IPv6" if families[0] == "IPv4" else "IPv4")
    spec["ipFamilyPolicy"], spec["ipFamilies"] = policy, families
    return causes


def _families_of_addresses(families: list[str], addresses: Sequence[str]) -> list[Cause]:
    """Add to `families` what the wanted addresses say; returns where they contradict."""
    causes = []
    for index, address in enumerate(addresses):
        if address == HEADLESS:
            break
        named = family(address)
        if index >= len(families):
            families.append(named)
        elif families[index] != named:
            why = f"expected an {families[index]} value as indicated by `ipFamilies[{index}]`"
            causes.append(invalid(f"spec.clusterIPs[{index}]", address, why))
    return causes


def _keeps(spec: Spec, before: Spec | None) -> bool:
    """Whether a Service that was headless and without selector keeps the families of then."""
    return (
        before is not None
        and before.get("clusterIP") == HEADLESS
        and not before.get("selector")
        and spec.get("ipFamilies") == before.get("ipFamilies")
    )

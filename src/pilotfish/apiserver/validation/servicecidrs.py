"""Validation of ServiceCIDRs."""

from __future__ import annotations

from ipaddress import ip_network

from pilotfish.apiserver.validation.causes import Cause, immutable, invalid, required
from pilotfish.objects.meta import Object


def validate(obj: Object) -> list[Cause]:
    cidrs = (obj.get("spec") or {}).get("cidrs") or []
    if not cidrs:
        return [required("spec.cidrs", "at least one CIDR required")]
    if len(cidrs) > 2:
        why = "may only hold up to 2 values"
        return [invalid("spec.cidrs", cidrs, why)]
    causes: list[Cause] = []
    versions: list[int] = []
    for index, text in enumerate(cidrs):
        try:
            versions.append(ip_network(text).version)
        except ValueError:
            why = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
            causes.append(invalid(f"spec.cidrs[{index}]", text, why))
    if len(set(versions)) < len(versions):
        why = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and "
        causes.append(invalid("spec.cidrs", cidrs, f"{why}2001:db8::/64"))
    return causes


def validate_update(new: Object, old: Object) -> list[Cause]:
    after = (new.get("spec") or {}).get("cidrs")
    if after == (old.get("spec") or {}).get("cidrs"):
        return []
    return [immutable("spec.cidrs", after)]

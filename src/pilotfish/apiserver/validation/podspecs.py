"""Validation of PodSpecs: of Pods, and of the templates that Pods are made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pilotfish.apiserver.validation.causes import (
    Cause,
    invalid,
    not_supported,
    required,
)
from pilotfish.apiserver.validation.containers import validate_containers
from pilotfish.apiserver.validation.formats import (
    BAD_ADDRESS,
    dns_label,
    dns_subdomain,
    family,
    qualified_name,
)
from pilotfish.apiserver.validation.metadata import validate_labels
from pilotfish.apiserver.validation.scheduling import validate_affinity, validate_spread
from pilotfish.apiserver.validation.securitycontexts import (
    validate_proc_mounts,
    validate_security_context,
    validate_sysctls,
)
from pilotfish.apiserver.validation.volumes import validate_volumes

_DNS_POLICIES = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
_RESTART_POLICIES = ("Always", "Never", "OnFailure")
_PREEMPTION_POLICIES = ("Never", "PreemptLowerPriority")
_OPERATORS = ("Equal", "Exists")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_MAX_ACTIVE_S = 2**31 - 1
_MAX_NAMESERVERS = 3

Spec = Mapping[str, Any]


def validate_pod_spec(spec: Spec, path: str, claims: Iterable[str] = ()) -> list[Cause]:
    """A defaulted PodSpec; `claims` are volumes that a StatefulSet adds by its claim templates."""
    volumes = spec.get("volumes") or []
    causes = validate_volumes(volumes, f"{path}.volumes") if volumes else []
    names = {volume.get("name", "") for volume in volumes}.union(claims)
    causes += validate_containers(spec, path, names)
    for field, choices in (
        ("restartPolicy", _RESTART_POLICIES),
        ("dnsPolicy", _DNS_POLICIES),
        ("preemptionPolicy", _PREEMPTION_POLICIES),
    ):
        value = spec.get(field)
        if value is not None and value not in choices:
            causes.append(not_supported(f"{path}.{field}", value, choices))
    if spec.get("nodeSelector"):
        causes += validate_labels(spec["nodeSelector"], f"{path}.nodeSelector")
    if spec.get("securityContext"):
        causes += validate_security_context(spec["securityContext"], f"{path}.securityContext")
        causes += validate_sysctls(spec, f"{path}.securityContext.sysctls")
    if spec.get("affinity"):
        causes += validate_affinity(spec["affinity"], f"{path}.affinity")
    if spec.get("topologySpreadConstraints"):
        at = f"{path}.topologySpreadConstraints"
        causes += validate_spread(spec["topologySpreadConstraints"], at)
    causes += validate_proc_mounts(spec, path)
    causes += _validate_names(spec, path)
    causes += _validate_durations(spec, path)
    if spec.get("dnsPolicy") == "None" or spec.get("dnsConfig"):
        causes += _validate_dns(spec, path)
    for index, toleration in enumerate(spec.get("tolerations") or ()):
        causes += _validate_toleration(toleration, f"{path}.tolerations[{index}]")
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        causes += _validate_alias(alias, f"{path}.hostAliases[{index}]")
    return causes


def _validate_names(spec: Spec, path: str) -> list[Cause]:
    causes: list[Cause] = []
    for field, check in (
        ("serviceAccountName", dns_subdomain),
        ("nodeName", dns_subdomain),
        ("hostname", dns_label),
        ("subdomain", dns_label),
        ("priorityClassName", dns_subdomain),
        ("runtimeClassName", dns_subdomain),
    ):
        value = spec.get(field)
        if value:
            why = check(value)
            if why:
                causes.append(invalid(f"{path}.{field}", value, why))
    return causes


def _validate_durations(spec: Spec, path: str) -> list[Cause]:
    causes: list[Cause] = []
    active_s = spec.get("activeDeadlineSeconds")
    if active_s is not None and not 1 <= active_s <= _MAX_ACTIVE_S:
        why = f"must be between 1 and {_MAX_ACTIVE_S}, inclusive"
        causes.append(invalid(f"{path}.activeDeadlineSeconds", active_s, why))
    return causes


def _validate_dns(spec: Spec, path: str) -> list[Cause]:
    causes: list[Cause] = []
    config = spec.get("dnsConfig") or {}
    servers = config.get("nameservers") or ()
    at = f"{path}.dnsConfig.nameservers"
    if spec.get("dnsPolicy") == "None" and not servers:
        why = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        causes.append(required(at, why))
    if len(servers) > _MAX_NAMESERVERS:
        why = f"must not have more than {_MAX_NAMESERVERS} nameservers"
        causes.append(invalid(at, servers, why))
    causes += [
        invalid(f"{at}[{index}]", server, BAD_ADDRESS)
        for index, server in enumerate(servers)
        if not family(server)
    ]
    causes += [
        required(f"{path}.dnsConfig.options[{index}]", "must not be empty")
        for index, option in enumerate(config.get("options") or ())
        if not option.get("name")
    ]
    return causes


def _validate_toleration(toleration: Spec, at: str) -> list[Cause]:
    causes: list[Cause] = []
    key, operator = toleration.get("key", ""), toleration.get("operator", "")
    if key:
        why = qualified_name(key)
        if why:
            causes.append(invalid(f"{at}.key", key, why))
    elif operator != "Exists":
        why = (
            "operator must be Exists when `key` is empty, which means "
            '"match all values and all keys"'
        )
        causes.append(invalid(f"{at}.operator", operator, why))
    if operator == "Exists":
        if toleration.get("value"):
            why = "value must be empty when `operator` is 'Exists'"
            causes.append(invalid(f"{at}.operator", toleration["value"], why))
    elif operator not in ("", "Equal"):
        causes.append(not_supported(f"{at}.operator", operator, _OPERATORS))
    effect = toleration.get("effect", "")
    if effect and effect not in _EFFECTS:
        causes.append(not_supported(f"{at}.effect", effect, _EFFECTS))
    if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
        why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        causes.append(invalid(f"{at}.effect", effect, why))
    return causes


def _validate_alias(alias: Spec, at: str) -> list[Cause]:
    causes: list[Cause] = []
    ip = alias.get("ip", "")
    if not family(ip):
        causes.append(invalid(f"{at}.ip", ip, BAD_ADDRESS))
    for name in alias.get("hostnames") or ():
        why = dns_subdomain(name)
        if why:
            causes.append(invalid(f"{at}.hostnames", name, why))
    return causes

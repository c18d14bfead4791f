"""Validation of Ingresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.apiserver.validation.causes import (
    Cause,
    invalid,
    not_supported,
    required,
)
from pilotfish.apiserver.validation.formats import (
    dns_label,
    dns_subdomain,
    family,
    port_name,
    port_number,
)
from pilotfish.objects.meta import Object

_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")


def validate(obj: Object) -> list[Cause]:
    spec = obj.get("spec") or {}
    causes: list[Cause] = []
    rules, default = spec.get("rules") or [], spec.get("defaultBackend")
    if not rules and default is None:
        why = "either `defaultBackend` or `rules` must be specified"
        causes.append(invalid("spec", [], why))
    if default is not None:
        causes += _validate_backend(default, "spec.defaultBackend")
    for index, rule in enumerate(rules):
        causes += _validate_rule(rule, f"spec.rules[{index}]")
    for index, tls in enumerate(spec.get("tls") or ()):
        for place, host in enumerate(tls.get("hosts") or ()):
            causes += _validate_host(host, f"spec.tls[{index}].hosts[{place}]")
    name = spec.get("ingressClassName")
    if name is not None:
        why = dns_subdomain(name)
        if why:
            causes.append(invalid("spec.ingressClassName", name, why))
    return causes


def _validate_rule(rule: Mapping[str, Any], at: str) -> list[Cause]:
    causes: list[Cause] = []
    if rule.get("host"):
        if family(rule["host"]):
            why = "must be a DNS name, not an IP address"
            causes.append(invalid(f"{at}.host", rule["host"], why))
        else:
            causes += _validate_host(rule["host"], f"{at}.host")
    http = rule.get("http")
    if http is None:
        return causes
    paths = http.get("paths") or ()
    if not paths:
        causes.append(required(f"{at}.http.paths"))
    for index, path in enumerate(paths):
        causes += _validate_path(path, f"{at}.http.paths[{index}]")
    return causes


def _validate_host(host: str, at: str) -> list[Cause]:
    why = dns_subdomain(host.removeprefix("*."))
    return [invalid(at, host, why)] if why else []


def _validate_path(path: Mapping[str, Any], at: str) -> list[Cause]:
    causes: list[Cause] = []
    kind, text = path.get("pathType"), path.get("path", "")
    if kind is None:
        causes.append(required(f"{at}.pathType", "pathType must be specified"))
    elif kind not in _PATH_TYPES:
        causes.append(not_supported(f"{at}.pathType", kind, _PATH_TYPES))
    elif kind != "ImplementationSpecific" or text:
        if not text.startswith("/"):
            causes.append(invalid(f"{at}.path", text, "must be an absolute path"))
        if kind != "ImplementationSpecific":
            causes += [
                invalid(f"{at}.path", text, f"must not contain '{bad}'")
                for bad in ("//", "/./", "/../", "%2f", "%2F")
                if bad in text
            ]
    return causes + _validate_backend(path.get("backend") or {}, f"{at}.backend")


def _validate_backend(backend: Mapping[str, Any], at: str) -> list[Cause]:
    service, resource = backend.get("service"), backend.get("resource")
    if service is None and resource is None:
        return [required(at, "resource or service backend is required")]
    if service is not None and resource is not None:
        return [invalid(at, "", "cannot set both resource and service backends")]
    if service is None:
        return []
    causes: list[Cause] = []
    name = service.get("name", "")
    if not name:
        causes.append(required(f"{at}.service.name"))
    else:
        why = dns_label(name)
        if why:
            causes.append(invalid(f"{at}.service.name", name, why))
    port = service.get("port") or {}
    if port.get("name") and port.get("number"):
        why = "cannot set both port name & port number"
        causes.append(invalid(f"{at}.service.port", port, why))
    elif port.get("name"):
        why = port_name(port["name"])
        if why:
            causes.append(invalid(f"{at}.service.port.name", port["name"], why))
    elif port.get("number"):
        why = port_number(port["number"])
        if why:
            causes.append(invalid(f"{at}.service.port.number", port["number"], why))
    else:
        why = "port name or number is required"
        causes.append(required(f"{at}.service.port", why))
    return causes

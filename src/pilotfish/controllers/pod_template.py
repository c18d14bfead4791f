"""Pods made from the template of the object that owns them."""

from __future__ import annotations

import copy
import secrets
import zlib
from collections.abc import Mapping
from typing import Any

import orjson

from pilotfish.objects.meta import Object, name_of, namespace_of, owner_reference

# Letters and digits that neither form words nor look alike: k8s.io/apimachinery's util/rand.
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_MAX_PREFIX = 58  # a Pod's name is a DNS label of at most 63 characters, 5 of them random


def random_suffix(length: int = 5) -> str:
    """Random characters as Kubernetes appends them to `generateName`."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def generated_name(owner_name: str) -> str:
    """A name for a new Pod of that owner: `<owner>-<5 random characters>`."""
    return f"{owner_name[: _MAX_PREFIX - 1]}-{random_suffix()}"


def pod_from_template(
    template: Mapping[str, Any], owner: Object, name: str, generate_name: str = ""
) -> Object:
    """A Pod that `owner` controls, as its template describes it."""
    described = template.get("metadata") or {}
    metadata: Object = {
        "name": name,
        "namespace": namespace_of(owner),
        "ownerReferences": [owner_reference(owner)],
    }
    if generate_name:
        metadata["generateName"] = generate_name
    for field in ("labels", "annotations"):
        if described.get(field):
            metadata[field] = dict(described[field])
    if described.get("finalizers"):
        metadata["finalizers"] = list(described["finalizers"])
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": copy.deepcopy(template.get("spec") or {}),
    }


def replica_from_template(template: Mapping[str, Any], owner: Object) -> Object:
    """One of several interchangeable Pods of `owner`, under a name of its own."""
    prefix = f"{name_of(owner)}-"
    return pod_from_template(template, owner, generated_name(name_of(owner)), prefix)


def template_hash(template: Mapping[str, Any], collisions: int = 0) -> str:
    """The value of `pod-template-hash`: the same for equal templates, whatever their key order."""
    text = orjson.dumps(significant(template), option=orjson.OPT_SORT_KEYS)
    number = zlib.crc32(text + (str(collisions).encode() if collisions else b""))
    return "".join(_ALPHABET[int(digit) % len(_ALPHABET)] for digit in str(number))


def significant(value: Any) -> Any:
    """The value without its empty parts: `{}`, `[]` and null mean the same as nothing."""
    if isinstance(value, Mapping):
        parts = {key: significant(part) for key, part in value.items()}
        return {key: part for key, part in parts.items() if part not in (None, {}, [])}
    if isinstance(value, list):
        return [significant(part) for part in value]
    return value

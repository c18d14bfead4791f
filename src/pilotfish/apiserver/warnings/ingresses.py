"""Warnings about Ingresses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pilotfish.objects.meta import Object, annotations_of

_CLASS: Final = "kubernetes.io/ingress.class"


def warnings(ingress: Object) -> Iterator[str]:
    if _CLASS in annotations_of(ingress):
        yield f"annotation \"{_CLASS}\" is deprecated, please use 'spec.ingressClassName' instead"

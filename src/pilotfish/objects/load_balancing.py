"""How a Service chooses among its endpoints: the annotation that says so."""

from __future__ import annotations

from pilotfish.objects.meta import Object, annotations_of

LOAD_BALANCING = "pilotfish.dev/load-balancing"
RANDOM = "random"
ROUND_ROBIN = "round-robin"


def load_balancing_of(service: Object) -> str:
    """RANDOM or ROUND_ROBIN; RANDOM too where the annotation says something else."""
    return ROUND_ROBIN if annotations_of(service).get(LOAD_BALANCING) == ROUND_ROBIN else RANDOM


def unknown_load_balancing(service: Object) -> str | None:
    """What the annotation says where that means nothing; None where all is well."""
    said = annotations_of(service).get(LOAD_BALANCING)
    return None if said in (None, RANDOM, ROUND_ROBIN) else said

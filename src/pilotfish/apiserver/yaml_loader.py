"""YAML restricted to JSON's types: a timestamp stays text, as Kubernetes' converter has it."""

from __future__ import annotations

from typing import Any

import yaml

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class JsonTypesLoader(_Base):  # type: ignore[misc]  # the C loader, where PyYAML has it
    """A safe loader that makes no dates."""


JsonTypesLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in _Base.yaml_implicit_resolvers.items()
}

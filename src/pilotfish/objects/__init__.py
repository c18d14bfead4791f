"""Kubernetes objects as plain dicts: metadata, selectors, ports, quantities, schema. No I/O."""

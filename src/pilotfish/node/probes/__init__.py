"""Probes: is a container started, ready, alive? https://kubernetes.io/docs/concepts/workloads/
pods/probes/ tells the fields."""

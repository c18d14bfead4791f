"""Pilotfish: Kubernetes Services, real and visible, on any Linux machine."""

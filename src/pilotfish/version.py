"""The version of Pilotfish, and of the Kubernetes API that it serves."""

__version__ = "0.1.0"

KUBERNETES_VERSION = "v1.37.0"

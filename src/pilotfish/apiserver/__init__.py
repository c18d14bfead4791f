"""The Kubernetes API server: routes → verbs → registry → store."""

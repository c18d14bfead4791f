"""Volumes of Pods: what is mounted from where, and how its content gets there and stays fresh."""

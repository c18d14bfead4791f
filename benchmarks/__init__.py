"""Benchmarks: each claim of speed, measured beside a peer or a physical limit in one run."""

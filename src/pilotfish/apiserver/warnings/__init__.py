"""Warnings: what is taken as it is, and is likely not what its author wants."""

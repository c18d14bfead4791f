"""Patches: JSON patch, merge patch, strategic merge patch, as pure functions."""

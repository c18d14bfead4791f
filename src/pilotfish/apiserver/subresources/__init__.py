"""Subresources that are more than a part of the object: one file each."""

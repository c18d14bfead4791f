"""Protocols: bytes of a connection in, exchanges out; one file each."""

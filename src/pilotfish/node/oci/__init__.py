"""From a Pod's container to the config.json of its OCI bundle: pure functions.

Source: the OCI runtime specification 1.0 (config.md, config-linux.md).
"""

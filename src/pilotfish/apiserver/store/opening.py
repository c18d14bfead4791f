"""Which store an API server keeps its objects in, by its settings."""

from __future__ import annotations

from pilotfish.apiserver.config import ApiServerConfig
from pilotfish.apiserver.store.embedded import EmbeddedStore
from pilotfish.apiserver.store.interface import Store


def open_store(config: ApiServerConfig) -> Store:
    """The store of a server.

    Raises:
        AddressError: for a store address that cannot be read.
    """
    if not config.store_address:
        return EmbeddedStore(config.store_path)
    # Loaded by those who have it: most do not.
    from pilotfish.apiserver.store.etcd.address import parse_address
    from pilotfish.apiserver.store.etcd.store import EtcdStore

    return EtcdStore(parse_address(config.store_address))

"""The core: what every verb works on."""

from __future__ import annotations

from dataclasses import dataclass

from pilotfish.apiserver.allocation.services import ServiceAllocator
from pilotfish.apiserver.authentication import TokenUsers
from pilotfish.apiserver.catalog import Catalog
from pilotfish.apiserver.config import ApiServerConfig
from pilotfish.apiserver.documents import Documents
from pilotfish.apiserver.rbac.authorizer import Authorizer
from pilotfish.apiserver.registry import Registry
from pilotfish.apiserver.tokens import Tokens


@dataclass(frozen=True)
class Core:
    """The parts of one API server that outlive a request."""

    config: ApiServerConfig
    catalog: Catalog
    registry: Registry
    tokens: Tokens
    services: ServiceAllocator
    token_users: TokenUsers
    authorizer: Authorizer
    documents: Documents

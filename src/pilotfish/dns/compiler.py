"""The cluster's objects into zones: which object's change touches which source of records. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pilotfish.dns import records
from pilotfish.dns.answers import Answerer
from pilotfish.dns.zone import Zones
from pilotfish.objects.meta import Object, key_of


class Compiler:
    """The zones of one cluster, kept in step with its Services and namespaces.

    `name_server_ip` is the ClusterIP of the DNS Service. `ranges` are the prefixes for whose
    addresses the reverse zones are ours.
    """

    def __init__(self, domain: str, name_server_ip: str, ranges: Sequence[str]) -> None:
        self.domain = domain
        self.zones = Zones()
        self.answerer = Answerer(self.zones, domain)
        name_server = f"ns.dns.{domain}"
        reverse = [origin for prefix in ranges for origin in records.reverse_origins(prefix)]
        for origin in (domain, *reverse):
            self.zones.add_origin(origin, name_server)
            addresses = [name_server_ip] if origin == domain else []
            self.zones.replace(
                f"zone/{origin}", records.zone_records(origin, name_server, addresses)
            )
        self.zones.replace("schema", records.schema_records(domain))
        # The tops of both trees exist also while there is no namespace.
        self.zones.replace("trees", records.tree_records(domain))

    def set_service(self, service: Object, slices: Iterable[Object]) -> None:
        """Take a Service as it is now, with its EndpointSlices."""
        found = records.service_records(service, slices, self.domain)
        self.zones.replace(f"service/{key_of(service)}", found)

    def forget_service(self, key: str) -> None:
        """Forget a deleted Service ("namespace/name")."""
        self.zones.replace(f"service/{key}", {})

    def set_namespace(self, name: str, present: bool) -> None:
        """Take a namespace, or forget it."""
        found = records.namespace_records(name, self.domain) if present else {}
        self.zones.replace(f"namespace/{name}", found)

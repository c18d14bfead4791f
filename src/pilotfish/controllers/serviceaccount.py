"""ServiceAccount `default` and ConfigMap `kube-root-ca.crt` in every namespace.

Pods without a `serviceAccountName` run as `default`, and what they mount of the
cluster's authority comes from the ConfigMap.
"""

from __future__ import annotations

from pilotfish.client.errors import AlreadyExists
from pilotfish.controllers.controller import Context, Controller
from pilotfish.objects.meta import Object, is_deleting, name_of, namespace_of

ACCOUNT = "default"
ROOT_CA = "kube-root-ca.crt"
ROOT_CA_NOTE = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal "
    "endpoints such as the internal service IP or kubernetes.default.svc. No other usage is "
    "guaranteed across distributions of Kubernetes clusters."
)


def wanted_account(namespace: str) -> Object:
    """The ServiceAccount of a namespace's Pods that ask for no other."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": ACCOUNT, "namespace": namespace},
    }


def wanted_root_ca(namespace: str, certificate: str) -> Object:
    """The ConfigMap with the cluster's CA certificate."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": ROOT_CA,
            "namespace": namespace,
            "annotations": {"kubernetes.io/description": ROOT_CA_NOTE},
        },
        "data": {"ca.crt": certificate},
    }


class ServiceAccountController(Controller):
    """Keeps both objects in every namespace that is not on its way out."""

    name = "serviceaccount-controller"
    workers = 2

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._namespaces = self.informer("namespaces")
        self._accounts = self.informer("serviceaccounts")
        self._config_maps = self.informer("configmaps")
        self._namespaces.on_change(self._namespace_changed)
        self._accounts.on_change(self._account_changed)
        self._config_maps.on_change(self._config_map_changed)

    def _namespace_changed(self, _old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.enqueue(new)

    def _account_changed(self, old: Object | None, new: Object | None) -> None:
        if new is None and old is not None and name_of(old) == ACCOUNT:
            self.queue.add(namespace_of(old))

    def _config_map_changed(self, old: Object | None, new: Object | None) -> None:
        config_map = new or old
        if config_map is not None and name_of(config_map) == ROOT_CA:
            self.queue.add(namespace_of(config_map))

    async def sync(self, key: str) -> None:
        namespace = self._namespaces.get(key)
        if namespace is None or is_deleting(namespace):
            return
        if self._accounts.get(f"{key}/{ACCOUNT}") is None:
            await self._create("serviceaccounts", wanted_account(key))
        if not self.config.ca_certificate:
            return
        wanted = wanted_root_ca(key, self.config.ca_certificate)
        present = self._config_maps.get(f"{key}/{ROOT_CA}")
        if present is None:
            await self._create("configmaps", wanted)
        elif present.get("data") != wanted["data"]:
            patch = {"data": wanted["data"]}
            await self.client.patch("configmaps", ROOT_CA, patch, key)

    async def _create(self, resource: str, wanted: Object) -> None:
        try:
            await self.client.create(resource, wanted)
        except AlreadyExists:
            return

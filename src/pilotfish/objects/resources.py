"""The built-in resources of the Kubernetes API: which there are, and what they are called.

Everything that is named `get`, `describe`, `apply` in kubectl goes by this
table: group and version, plural, short names, scope, categories, subresources.
What the objects of a resource hold is in `pilotfish.objects.schema`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

ALL_VERBS = (
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
)


@dataclass(frozen=True)
class Resource:
    """One resource of one API version.

    Attributes:
        group: API group; "" for the core group.
        plural: the name in paths: `services`.
        subresources: `status`, `scale`, `log`, …
        verbs: what can be done with it; ("create",) for reviews, which are not stored.
    """

    group: str
    version: str
    plural: str
    singular: str
    kind: str
    namespaced: bool
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS

    @cached_property
    def api_version(self) -> str:
        """What objects carry as apiVersion: `v1`, `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @cached_property
    def full_name(self) -> str:
        """`services`, `deployments.apps`: unique over groups; how this code names resources."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @cached_property
    def list_kind(self) -> str:
        """The kind of a list of these objects."""
        return f"{self.kind}List"

    @cached_property
    def is_stored(self) -> bool:
        """Whether objects of it are kept; reviews and bindings only answer."""
        return "get" in self.verbs

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The URL path of the collection, an object in it, or a subresource of that."""
        path = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        if namespace and self.namespaced:
            path += f"/namespaces/{namespace}"
        path += f"/{self.plural}"
        if name:
            path += f"/{name}"
        if subresource:
            path += f"/{subresource}"
        return path


# group/version, plural, kind, scope (n: namespaced, c: cluster), then options:
# short names, `+categories`, `/subresources`, `=verb` for each that it has alone, `-verb` for one
# that it lacks, and `!` for what is only created.
_ROWS = """
v1 bindings Binding n !
v1 componentstatuses ComponentStatus c cs =get =list
v1 configmaps ConfigMap n cm
v1 endpoints Endpoints n ep
v1 events Event n ev
v1 limitranges LimitRange n limits
v1 namespaces Namespace c ns -deletecollection /finalize /status
v1 nodes Node c no /proxy /status
v1 persistentvolumeclaims PersistentVolumeClaim n pvc /status
v1 persistentvolumes PersistentVolume c pv /status
v1 pods Pod n po +all /attach /binding /ephemeralcontainers /eviction /exec /log /portforward /proxy /resize /status
v1 podtemplates PodTemplate n
v1 replicationcontrollers ReplicationController n rc +all /scale /status
v1 resourcequotas ResourceQuota n quota /status
v1 secrets Secret n
v1 serviceaccounts ServiceAccount n sa /token
v1 services Service n svc +all /proxy /status
admissionregistration.k8s.io/v1 mutatingadmissionpolicies MutatingAdmissionPolicy c +api-extensions
admissionregistration.k8s.io/v1 mutatingadmissionpolicybindings MutatingAdmissionPolicyBinding c +api-extensions
admissionregistration.k8s.io/v1 mutatingwebhookconfigurations MutatingWebhookConfiguration c +api-extensions
admissionregistration.k8s.io/v1 validatingadmissionpolicies ValidatingAdmissionPolicy c +api-extensions /status
admissionregistration.k8s.io/v1 validatingadmissionpolicybindings ValidatingAdmissionPolicyBinding c +api-extensions
admissionregistration.k8s.io/v1 validatingwebhookconfigurations ValidatingWebhookConfiguration c +api-extensions
apiextensions.k8s.io/v1 customresourcedefinitions CustomResourceDefinition c crd crds +api-extensions /status
apiregistration.k8s.io/v1 apiservices APIService c +api-extensions /status
apps/v1 controllerrevisions ControllerRevision n
apps/v1 daemonsets DaemonSet n ds +all /status
apps/v1 deployments Deployment n deploy +all /scale /status
apps/v1 replicasets ReplicaSet n rs +all /scale /status
apps/v1 statefulsets StatefulSet n sts +all /scale /status
authentication.k8s.io/v1 selfsubjectreviews SelfSubjectReview c !
authentication.k8s.io/v1 tokenreviews TokenReview c !
authorization.k8s.io/v1 localsubjectaccessreviews LocalSubjectAccessReview n !
authorization.k8s.io/v1 selfsubjectaccessreviews SelfSubjectAccessReview c !
authorization.k8s.io/v1 selfsubjectrulesreviews SelfSubjectRulesReview c !
authorization.k8s.io/v1 subjectaccessreviews SubjectAccessReview c !
autoscaling/v2 horizontalpodautoscalers HorizontalPodAutoscaler n hpa +all /status
autoscaling/v1 horizontalpodautoscalers HorizontalPodAutoscaler n hpa +all /status
batch/v1 cronjobs CronJob n cj +all /status
batch/v1 jobs Job n +all /status
certificates.k8s.io/v1 certificatesigningrequests CertificateSigningRequest c csr /approval /status
certificates.k8s.io/v1 clustertrustbundles ClusterTrustBundle c
certificates.k8s.io/v1 podcertificaterequests PodCertificateRequest n /status
coordination.k8s.io/v1 leases Lease n
discovery.k8s.io/v1 endpointslices EndpointSlice n
events.k8s.io/v1 events Event n ev
flowcontrol.apiserver.k8s.io/v1 flowschemas FlowSchema c /status
flowcontrol.apiserver.k8s.io/v1 prioritylevelconfigurations PriorityLevelConfiguration c /status
networking.k8s.io/v1 ingressclasses IngressClass c
networking.k8s.io/v1 ingresses Ingress n ing /status
networking.k8s.io/v1 ipaddresses IPAddress c ip
networking.k8s.io/v1 networkpolicies NetworkPolicy n netpol
networking.k8s.io/v1 servicecidrs ServiceCIDR c /status
node.k8s.io/v1 runtimeclasses RuntimeClass c
policy/v1 poddisruptionbudgets PodDisruptionBudget n pdb /status
rbac.authorization.k8s.io/v1 clusterrolebindings ClusterRoleBinding c
rbac.authorization.k8s.io/v1 clusterroles ClusterRole c
rbac.authorization.k8s.io/v1 rolebindings RoleBinding n
rbac.authorization.k8s.io/v1 roles Role n
resource.k8s.io/v1 deviceclasses DeviceClass c
resource.k8s.io/v1 devicetaintrules DeviceTaintRule c /status
resource.k8s.io/v1 resourceclaims ResourceClaim n /binding /driver /status
resource.k8s.io/v1 resourceclaimtemplates ResourceClaimTemplate n
resource.k8s.io/v1 resourceslices ResourceSlice c
scheduling.k8s.io/v1 priorityclasses PriorityClass c pc
storage.k8s.io/v1 csidrivers CSIDriver c
storage.k8s.io/v1 csinodes CSINode c
storage.k8s.io/v1 csistoragecapacities CSIStorageCapacity n
storage.k8s.io/v1 storageclasses StorageClass c sc
storage.k8s.io/v1 volumeattachments VolumeAttachment c /status
storage.k8s.io/v1 volumeattributesclasses VolumeAttributesClass c vac
storagemigration.k8s.io/v1 storageversionmigrations StorageVersionMigration c /status
"""  # noqa: E501

# What else these plurals are not simply the kind in lower case of.
_SINGULARS = {"Endpoints": "endpoints"}


def _read(row: str) -> Resource:
    group_version, plural, kind, scope, *options = row.split()
    group, _, version = group_version.rpartition("/")
    return Resource(
        group=group,
        version=version,
        plural=plural,
        singular=_SINGULARS.get(kind, kind.lower()),
        kind=kind,
        namespaced=scope == "n",
        short_names=tuple(option for option in options if option[0] not in "+/!=-"),
        categories=tuple(option[1:] for option in options if option[0] == "+"),
        subresources=tuple(option[1:] for option in options if option[0] == "/"),
        verbs=_verbs(options),
    )


def _verbs(options: list[str]) -> tuple[str, ...]:
    alone = tuple(option[1:] for option in options if option[0] == "=")
    lacking = {option[1:] for option in options if option[0] == "-"}
    if "!" in options:
        return ("create",)
    return alone or tuple(verb for verb in ALL_VERBS if verb not in lacking)


RESOURCES: tuple[Resource, ...] = tuple(_read(row) for row in _ROWS.strip().splitlines())

# Where a resource has two versions, the first row is the preferred and stored one.
_BY_NAME: dict[str, Resource] = {}
_BY_KIND: dict[tuple[str, str], Resource] = {}
for _entry in RESOURCES:
    _BY_NAME.setdefault(_entry.full_name, _entry)
    _BY_KIND[_entry.api_version, _entry.kind] = _entry


def learn(resource: Resource) -> None:
    """Know a custom resource by its name and kind from now on, in this process."""
    _BY_NAME[resource.full_name] = resource
    _BY_KIND[resource.api_version, resource.kind] = resource


def resource(full_name: str) -> Resource:
    """The resource of that name, in its preferred version: `pods`, `replicasets.apps`.

    Raises:
        KeyError: for a name that is no built-in resource.
    """
    return _BY_NAME[full_name]


def resource_of(obj: Mapping[str, Any]) -> Resource | None:
    """The resource that an object belongs to, by its apiVersion and kind; None if unknown."""
    return resource_of_kind(obj.get("apiVersion", ""), obj.get("kind", ""))


def resource_of_kind(api_version: str, kind: str) -> Resource | None:
    """The resource of an apiVersion and kind; None if unknown."""
    return _BY_KIND.get((api_version, kind))

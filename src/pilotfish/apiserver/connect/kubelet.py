"""Where a Pod's kubelet listens, and which of its paths serves a subresource of the Pod."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from pilotfish.apiserver.connect.containers import container_of
from pilotfish.apiserver.errors import bad_request, internal, invalid, quoted
from pilotfish.apiserver.validation.causes import Cause
from pilotfish.objects.meta import Object, name_of, namespace_of
from pilotfish.objects.numbers import whole_number

Query = Mapping[str, Sequence[str]]

_DEFAULT_PORT = 10250
# The order of kube-apiserver's --kubelet-preferred-address-types, without names: nothing here
# resolves a Node's name.
_ADDRESS_TYPES = ("InternalIP", "ExternalIP")
_PATHS = {"exec": "exec", "attach": "attach", "portforward": "portForward", "log": "containerLogs"}
_LOG_FIELDS = (
    "follow",
    "previous",
    "timestamps",
    "sinceSeconds",
    "sinceTime",
    "tailLines",
    "limitBytes",
    "stream",
)
# PodExecOptions' fields, and what the kubelet calls them.
_STREAMS = {"stdin": "input", "stdout": "output", "stderr": "error", "tty": "tty"}


@dataclass(frozen=True, slots=True)
class KubeletAddress:
    """Where a kubelet serves HTTPS."""

    host: str
    port: int


def kubelet_address(node: Object) -> KubeletAddress:
    """Where the kubelet of a Node listens, as its status says.

    Raises:
        StatusError: 500, when the Node has no address yet.
    """
    status = node.get("status") or {}
    addresses = status.get("addresses") or []
    endpoint = (status.get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}
    for type_ in _ADDRESS_TYPES:
        for address in addresses:
            if address.get("type") == type_:
                return KubeletAddress(address["address"], endpoint.get("Port") or _DEFAULT_PORT)
    raise internal(f"no preferred addresses found; known addresses: {addresses}")


def node_of(pod: Object) -> str:
    """The name of the Pod's node.

    Raises:
        StatusError: 400, when the scheduler has not chosen one yet.
    """
    name: str = pod["spec"].get("nodeName", "")
    if not name:
        raise bad_request(f"pod {name_of(pod)} does not have a host assigned")
    return name


def kubelet_target(pod: Object, subresource: str, query: Query) -> str:
    """Path and query of the kubelet's answer to exec, attach, portforward or log of a Pod.

    Raises:
        StatusError: 400 or 422 for a query that asks for what cannot be.
    """
    parts = [_PATHS[subresource], namespace_of(pod), name_of(pod)]
    if subresource == "portforward":
        parameters = [("port", ",".join(query["ports"]))] if query.get("ports") else []
    else:
        parts.append(container_of(pod, _first(query, "container")))
        if subresource == "log":
            check_log_query(name_of(pod), query)
            parameters = [(key, _first(query, key)) for key in _LOG_FIELDS if _first(query, key)]
        else:
            parameters = _command_parameters(subresource, query)
    path = "/" + "/".join(quote(part, safe="") for part in parts)
    return f"{path}?{urlencode(parameters)}" if parameters else path


def _command_parameters(subresource: str, query: Query) -> list[tuple[str, str]]:
    parameters = [
        (theirs, "1") for ours, theirs in _STREAMS.items() if _is_true(_first(query, ours))
    ]
    command = query.get("command", ())
    if subresource == "exec":
        if not command:
            raise bad_request("you must specify at least one command for the container")
        parameters += [("command", word) for word in command]
    return parameters


def check_log_query(pod_name: str, query: Query) -> None:
    """Refuses log options that make no sense, in the words of kube-apiserver.

    Raises:
        StatusError: 422, with a cause for every field.
    """
    causes = []
    for field, minimum, rule in (
        ("tailLines", 0, "must be greater than or equal to 0"),
        ("limitBytes", 1, "must be greater than 0"),
        ("sinceSeconds", 1, "must be greater than 0"),
    ):
        text = _first(query, field)
        if not text:
            continue
        value = whole_number(text)
        if value is None:
            raise bad_request(
                f"strconv.ParseInt: parsing {quoted(text[:100])}: invalid syntax: parameter {field}"
            )
        if value < minimum:
            causes.append(Cause(field, "FieldValueInvalid", f"Invalid value: {value}: {rule}"))
    if _first(query, "sinceSeconds") and _first(query, "sinceTime"):
        message = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"
        causes.append(Cause("", "FieldValueForbidden", message))
    if causes:
        raise invalid("PodLogOptions", "", pod_name, causes)


def _first(query: Query, name: str) -> str:
    values = query.get(name)
    return values[0] if values else ""


def _is_true(text: str) -> bool:
    return text.lower() in ("1", "true")

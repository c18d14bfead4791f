"""Which container of a Pod a request is about."""

from __future__ import annotations

from pilotfish.apiserver.errors import bad_request
from pilotfish.objects.meta import Object, annotations_of, name_of

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


def container_of(pod: Object, asked: str) -> str:
    """The name of the container that is meant.

    Without a name it is the only one, or the one that the Pod's annotation names.

    Raises:
        StatusError: 400, when no container is meant, or one that the Pod does not have.
    """
    spec, name = pod["spec"], name_of(pod)
    main = _names(spec, "containers")
    init = _names(spec, "initContainers")
    if asked:
        if asked not in (*main, *init, *_names(spec, "ephemeralContainers")):
            raise bad_request(f"container {asked} is not valid for pod {name}")
        return asked
    if len(main) == 1:
        return main[0]
    default = annotations_of(pod).get(DEFAULT_CONTAINER, "")
    if default in main:
        return default
    message = f"a container name must be specified for pod {name}"
    if main:
        message += f", choose one of: [{' '.join(main)}]"
    if init:
        message += f" or one of the init containers: [{' '.join(init)}]"
    raise bad_request(message)


def _names(spec: Object, field: str) -> list[str]:
    return [container["name"] for container in spec.get(field) or ()]

"""What to do next with a Pod's containers: a pure function from what is to what shall be done.

https://kubernetes.io/docs/concepts/workloads/pods/init-containers/ and sidecar-containers/:
init containers run one after the other; a sidecar (restartPolicy: Always) only has to have
started; then the app containers run together, and restart as restartPolicy says. Ephemeral
containers (ephemeral-containers/) start at any time, once, and nothing waits for them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pilotfish.node.backoff import format_delay, restart_delay_s
from pilotfish.node.record import (
    ContainerRecord,
    ContainerView,
    PodView,
    app_containers,
    ephemeral_containers,
    init_containers,
    is_sidecar,
)
from pilotfish.objects.meta import Object


@dataclass
class Plan:
    """`start` in this order; `waiting` are containers in back-off with their message.

    `stop_rest`: the work is done and only sidecars or ephemeral containers run. `wake_after_s`:
    when to look again even if nothing happens.
    """

    start: list[Object] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)
    stop_rest: bool = False
    finished: bool = False
    wake_after_s: float | None = None

    def wake_at_most(self, delay_s: float) -> None:
        if self.wake_after_s is None or delay_s < self.wake_after_s:
            self.wake_after_s = delay_s


def restart_policy(pod: Object) -> str:
    return str(pod.get("spec", {}).get("restartPolicy") or "Always")


def _may_restart(policy: str, record: ContainerRecord) -> bool:
    return policy == "Always" or (policy == "OnFailure" and record.exit_code != 0)


def _start_or_wait(
    pod: Object, container: Object, view: ContainerView, now_s: float, plan: Plan
) -> None:
    record = view.current
    if record is None or not record.exited:
        plan.start.append(container)
        return
    delay_s = restart_delay_s(record)
    left_s = record.finished_s + delay_s - now_s
    if left_s <= 0:
        plan.start.append(container)
        return
    plan.waiting[container["name"]] = backoff_message(pod, container["name"], delay_s)
    plan.wake_at_most(left_s)


def backoff_message(pod: Object, container: str, delay_s: float) -> str:
    meta = pod["metadata"]
    which = f"{meta['name']}_{meta.get('namespace', '')}({meta.get('uid', '')})"
    return f"back-off {format_delay(delay_s)} restarting failed container={container} pod={which}"


def _any_app_ran(pod: Object, view: PodView) -> bool:
    return any(view.of(container).current is not None for container in app_containers(pod))


def initialized(pod: Object, view: PodView) -> bool:
    """Whether the app containers may run; stays true once one of them has."""
    if _any_app_ran(pod, view):
        return True
    for container in init_containers(pod):
        state = view.of(container)
        if is_sidecar(container):
            if not state.started:
                return False
        elif state.current is None or state.current.exit_code != 0:
            return False
    return True


def failed_init(pod: Object, view: PodView) -> bool:
    """An init container has failed for good."""
    if restart_policy(pod) != "Never" or _any_app_ran(pod, view):
        return False
    return any(
        (record := view.of(container).current) is not None
        and record.exited
        and record.exit_code != 0
        for container in init_containers(pod)
        if not is_sidecar(container)
    )


def apps_finished(pod: Object, view: PodView) -> bool:
    """Every app container has ended and none may start again."""
    policy = restart_policy(pod)
    for container in app_containers(pod):
        record = view.of(container).current
        if record is None or not record.exited or _may_restart(policy, record):
            return False
    return True


def make_plan(pod: Object, view: PodView, now_s: float) -> Plan:
    """The next steps. `now_s` is seconds since the epoch."""
    plan = Plan()
    if failed_init(pod, view) or apps_finished(pod, view):
        rest = init_containers(pod) + ephemeral_containers(pod)
        running = any(view.of(container).running for container in rest)
        plan.stop_rest = running
        plan.finished = not running
        return plan
    # Before the init containers: to find out why one of them does not end is what they are for.
    plan.start += [one for one in ephemeral_containers(pod) if view.of(one).current is None]
    ran = _any_app_ran(pod, view)
    for container in init_containers(pod):
        state = view.of(container)
        if is_sidecar(container):
            if not state.running:
                _start_or_wait(pod, container, state, now_s, plan)
            if not ran and not state.started:
                return plan
            continue
        if ran or (state.current is not None and state.current.exit_code == 0):
            continue
        if not state.running:
            _start_or_wait(pod, container, state, now_s, plan)
        return plan
    for container in app_containers(pod):
        state = view.of(container)
        if state.hook_running:
            return plan  # the next container waits for the one before it to have started
        if state.running:
            continue
        record = state.current
        if record is None or not record.exited or _may_restart(restart_policy(pod), record):
            _start_or_wait(pod, container, state, now_s, plan)
    return plan

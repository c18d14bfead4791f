"""What to do next with a Pod's containers."""

from __future__ import annotations

from typing import Any

from pilotfish.node.lifecycle import Plan, make_plan
from pilotfish.node.record import ContainerRecord, ContainerView, PodView, new_view

NOW = 1_000_000.0


def pod(
    *containers: str, init: list[dict[str, Any]] | None = None, policy: str = "Always"
) -> dict[str, Any]:
    return {
        "metadata": {"name": "p", "namespace": "ns", "uid": "u"},
        "spec": {
            "restartPolicy": policy,
            "initContainers": init or [],
            "containers": [{"name": name} for name in containers],
        },
    }


def running(view: ContainerView, passed: bool = True) -> None:
    view.current = ContainerRecord("id", "c", 0, "i", "id", startup_passed=passed)
    view.current.started_s = NOW - 1


def exited(
    view: ContainerView, code: int, backoff_s: float = 0, ago_s: float = 0, ran_s: float = 1
) -> None:
    record = ContainerRecord("id", "c", 0, "i", "id", exit_code=code, backoff_s=backoff_s)
    record.finished_s = NOW - ago_s
    record.started_s = record.finished_s - ran_s
    view.current = record


def names(plan: Plan) -> list[str]:
    return [container["name"] for container in plan.start]


def test_all_app_containers_start_at_once() -> None:
    one = pod("a", "b")
    assert names(make_plan(one, new_view(one), NOW)) == ["a", "b"]


def test_init_containers_run_one_after_the_other() -> None:
    one = pod("app", init=[{"name": "i1"}, {"name": "i2"}])
    view = new_view(one)
    assert names(make_plan(one, view, NOW)) == ["i1"]
    running(view.containers["i1"])
    assert names(make_plan(one, view, NOW)) == []
    exited(view.containers["i1"], 0)
    assert names(make_plan(one, view, NOW)) == ["i2"]
    exited(view.containers["i2"], 0)
    assert names(make_plan(one, view, NOW)) == ["app"]


def test_a_sidecar_only_has_to_have_started() -> None:
    one = pod("app", init=[{"name": "side", "restartPolicy": "Always"}])
    view = new_view(one)
    assert names(make_plan(one, view, NOW)) == ["side"]
    running(view.containers["side"], passed=False)
    assert names(make_plan(one, view, NOW)) == []
    running(view.containers["side"])
    assert names(make_plan(one, view, NOW)) == ["app"]


def test_a_sidecar_restarts_beside_the_running_app() -> None:
    one = pod("app", init=[{"name": "side", "restartPolicy": "Always"}], policy="Never")
    view = new_view(one)
    running(view.containers["app"])
    exited(view.containers["side"], 1)
    assert names(make_plan(one, view, NOW)) == ["side"]


def test_a_failed_init_container_fails_a_pod_that_never_restarts() -> None:
    one = pod("app", init=[{"name": "i1"}], policy="Never")
    view = new_view(one)
    exited(view.containers["i1"], 1)
    assert make_plan(one, view, NOW).finished


def test_a_failed_init_container_is_tried_again_otherwise() -> None:
    one = pod("app", init=[{"name": "i1"}], policy="OnFailure")
    view = new_view(one)
    exited(view.containers["i1"], 1)
    assert names(make_plan(one, view, NOW)) == ["i1"]


def test_the_first_restart_is_immediate_and_later_ones_wait() -> None:
    one = pod("app")
    view = new_view(one)
    exited(view.containers["app"], 1)
    assert names(make_plan(one, view, NOW)) == ["app"]
    exited(view.containers["app"], 1, backoff_s=10, ago_s=4)
    plan = make_plan(one, view, NOW)
    assert plan.start == []
    assert plan.wake_after_s == 6
    assert plan.waiting["app"] == "back-off 10s restarting failed container=app pod=p_ns(u)"


def test_a_long_run_is_forgiven() -> None:
    one = pod("app")
    view = new_view(one)
    exited(view.containers["app"], 1, backoff_s=300, ran_s=601)
    assert names(make_plan(one, view, NOW)) == ["app"]


def test_restart_policy_decides_whether_an_ended_container_starts_again() -> None:
    for policy, code, starts in [
        ("Always", 0, True),
        ("OnFailure", 0, False),
        ("OnFailure", 1, True),
        ("Never", 1, False),
    ]:
        one = pod("app", policy=policy)
        view = new_view(one)
        exited(view.containers["app"], code)
        plan = make_plan(one, view, NOW)
        assert (names(plan) == ["app"], plan.finished) == (starts, not starts)


def test_when_the_work_is_done_sidecars_are_stopped_before_the_pod_has_finished() -> None:
    one = pod("app", init=[{"name": "side", "restartPolicy": "Always"}], policy="Never")
    view = new_view(one)
    exited(view.containers["app"], 0)
    running(view.containers["side"])
    plan = make_plan(one, view, NOW)
    assert (plan.stop_rest, plan.finished) == (True, False)
    exited(view.containers["side"], 0)
    assert make_plan(one, view, NOW).finished


def test_the_next_container_waits_for_a_post_start_hook() -> None:
    one = pod("a", "b")
    view: PodView = new_view(one)
    running(view.containers["a"])
    view.containers["a"].hook_running = True
    assert names(make_plan(one, view, NOW)) == []


def with_debugger(*containers: str, **given: Any) -> dict[str, Any]:
    one = pod(*containers, **given)
    one["spec"]["ephemeralContainers"] = [{"name": "debugger"}]
    return one


def test_an_ephemeral_container_starts_also_when_an_init_container_does_not_end() -> None:
    one = with_debugger("app", init=[{"name": "i1"}])
    view = new_view(one)
    running(view.containers["i1"])
    assert names(make_plan(one, view, NOW)) == ["debugger"]


def test_an_ephemeral_container_that_was_added_later_is_known_and_started() -> None:
    view = new_view(pod("app"))
    running(view.containers["app"])
    one = with_debugger("app")
    view.add_new(one)
    assert names(make_plan(one, view, NOW)) == ["debugger"]
    running(view.containers["debugger"])
    view.add_new(one)
    assert names(make_plan(one, view, NOW)) == []


def test_an_ephemeral_container_is_never_restarted() -> None:
    one = with_debugger("app")
    view = new_view(one)
    running(view.containers["app"])
    exited(view.containers["debugger"], 1)
    plan = make_plan(one, view, NOW)
    assert (names(plan), plan.waiting, plan.finished) == ([], {}, False)


def test_an_ephemeral_container_ends_with_the_work_of_its_pod() -> None:
    one = with_debugger("app", policy="Never")
    view = new_view(one)
    exited(view.containers["app"], 0)
    running(view.containers["debugger"])
    plan = make_plan(one, view, NOW)
    assert (names(plan), plan.stop_rest, plan.finished) == ([], True, False)
    exited(view.containers["debugger"], 137)
    assert make_plan(one, view, NOW).finished

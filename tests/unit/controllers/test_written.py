"""A controller's own writes count before the watch has shown them."""

from __future__ import annotations

from pilotfish.controllers.controller import status_patch
from pilotfish.controllers.pod_template import replica_from_template, template_hash
from pilotfish.controllers.written import Written
from pilotfish.objects.meta import Object, uid_of
from support.workloads import make_pod, make_replica_set


class FakeInformer:
    """The part of an informer that `Written` uses."""

    def __init__(self) -> None:
        self.cache: dict[str, Object] = {}
        self.handlers = []

    def get(self, key: str) -> Object | None:
        return self.cache.get(key)

    def on_change(self, handler) -> None:
        self.handlers.append(handler)

    def show(self, old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.cache["default/" + new["metadata"]["name"]] = new
        elif old is not None:
            self.cache.pop("default/" + old["metadata"]["name"])
        for handler in self.handlers:
            handler(old, new)


OWNER = make_replica_set()


def version(pod: Object, number: int) -> Object:
    return {**pod, "metadata": {**pod["metadata"], "resourceVersion": str(number)}}


def seen(informer: FakeInformer, written: Written) -> list[Object]:
    return written.over(list(informer.cache.values()), uid_of(OWNER))


def test_a_new_object_counts_at_once_and_is_not_counted_twice() -> None:
    informer = FakeInformer()
    written = Written(informer)
    pod = version(make_pod("a", owner=OWNER), 9)
    written.note(pod)
    assert seen(informer, written) == [pod]
    informer.show(None, pod)
    assert seen(informer, written) == [pod]
    informer.show(pod, None)
    assert seen(informer, written) == []


def test_an_older_event_does_not_hide_the_newer_write() -> None:
    informer = FakeInformer()
    written = Written(informer)
    old, middle, new = (version(make_pod("a", owner=OWNER), number) for number in (8, 9, 10))
    informer.show(None, old)
    written.note(new)
    informer.show(old, middle)
    assert seen(informer, written) == [new]
    assert written.latest("default/a") is new
    newest = version(new, 11)
    informer.show(middle, newest)
    assert seen(informer, written) == [newest]


def test_a_write_that_the_watch_has_shown_already_is_not_kept() -> None:
    informer = FakeInformer()
    written = Written(informer)
    pod = version(make_pod("a", owner=OWNER), 100)
    informer.show(None, version(pod, 101))
    written.note(pod)
    informer.show(version(pod, 101), None)
    assert seen(informer, written) == []


def test_a_deleted_object_is_gone_before_the_watch_says_so() -> None:
    informer = FakeInformer()
    written = Written(informer)
    pod = make_pod("a", owner=OWNER)
    informer.show(None, pod)
    written.note_deleted(pod)
    assert seen(informer, written) == []
    assert written.latest("default/a") is None
    informer.show(pod, None)
    successor = make_pod("a", owner=OWNER)
    informer.show(None, successor)
    assert seen(informer, written) == [successor]


def test_the_echo_of_a_write_is_known_even_before_its_answer() -> None:
    written = Written(FakeInformer())
    pod = version(make_pod("a", labels={"app": "web"}), 9)
    written.sending(pod)
    assert not written.is_echo(version({**pod, "spec": {"nodeName": "other"}}, 10))
    assert not written.is_echo(make_pod("b", labels={"app": "web"}))
    assert written.is_echo(version(pod, 10))
    # The next one is somebody else's, even if it says the same.
    assert not written.is_echo(version(pod, 11))


def test_another_owners_new_object_is_not_ours() -> None:
    informer = FakeInformer()
    written = Written(informer)
    written.note(make_pod("a", owner=make_replica_set("other")))
    assert seen(informer, written) == []


def test_a_status_patch_says_only_what_changed_and_removes_what_is_gone() -> None:
    observed = {"replicas": 3, "readyReplicas": 1, "observedGeneration": 2}
    assert status_patch(observed, dict(observed)) == {}
    assert status_patch(observed, {"replicas": 3, "observedGeneration": 3}) == {
        "observedGeneration": 3,
        "readyReplicas": None,
    }


def test_a_replica_carries_the_template_and_its_owner() -> None:
    owner = make_replica_set(
        template={
            "metadata": {"labels": {"app": "web"}, "annotations": {"a": "b"}},
            "spec": {"containers": [{"name": "c"}]},
        }
    )
    pod = replica_from_template(owner["spec"]["template"], owner)
    assert pod["metadata"]["name"].startswith("web-")
    assert len(pod["metadata"]["name"]) == len("web-") + 5
    assert pod["metadata"]["labels"] == {"app": "web"}
    assert pod["metadata"]["annotations"] == {"a": "b"}
    assert pod["metadata"]["ownerReferences"][0]["uid"] == uid_of(owner)
    pod["spec"]["containers"].clear()
    assert owner["spec"]["template"]["spec"]["containers"] == [{"name": "c"}]


def test_a_long_owner_name_leaves_room_for_the_suffix() -> None:
    owner = make_replica_set("x" * 80)
    assert len(replica_from_template(owner["spec"]["template"], owner)["metadata"]["name"]) <= 63


def test_equal_templates_have_equal_hashes_whatever_their_order_or_empty_parts() -> None:
    one = {"metadata": {"labels": {"a": "1", "b": "2"}}, "spec": {"x": 1}}
    other = {"spec": {"x": 1, "y": {}, "z": None}, "metadata": {"labels": {"b": "2", "a": "1"}}}
    assert template_hash(one) == template_hash(other)
    assert template_hash(one) != template_hash({**one, "spec": {"x": 2}})

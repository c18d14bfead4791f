"""Equal owner references are one."""

from __future__ import annotations

from pilotfish.apiserver.owners import drop_duplicate_owners


def test_equal_references_are_one_and_warned_about() -> None:
    one, other = {"name": "a", "uid": "u"}, {"name": "b", "uid": "u"}
    obj = {"metadata": {"ownerReferences": [one, other, dict(one)]}}
    warnings: list[str] = []
    drop_duplicate_owners(obj, warnings)
    assert obj["metadata"]["ownerReferences"] == [one, other]
    (said,) = warnings
    assert said.endswith("please fix your requests; duplicate UID(s) observed: [u]")


def test_distinct_references_stay_as_they_are() -> None:
    obj = {"metadata": {"ownerReferences": [{"uid": "u"}, {"uid": "v"}]}}
    warnings: list[str] = []
    drop_duplicate_owners(obj, warnings)
    assert (len(obj["metadata"]["ownerReferences"]), warnings) == (2, [])

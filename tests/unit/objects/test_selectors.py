"""Label and field selectors read and match as the Kubernetes API's do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.objects.selectors import (
    FieldRequirement,
    LabelSelector,
    Requirement,
    SelectorError,
    format_label_selector,
    label_selector,
    match_labels,
    parse_field_selector,
    parse_label_selector,
)

names = st.from_regex(r"[a-z]([a-z0-9.-]{0,10}[a-z0-9])?", fullmatch=True)
values = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,10}[A-Za-z0-9])?", fullmatch=True)
keys = st.one_of(names, st.builds("{}/{}".format, names, names))
requirements = st.one_of(
    st.builds(
        Requirement, keys, st.sampled_from(["in", "notin"]), st.frozensets(values, min_size=1)
    ),
    st.builds(Requirement, keys, st.sampled_from(["exists", "!exists"])),
)


@pytest.mark.parametrize(
    ("text", "labels", "matches"),
    [
        ("", {}, True),
        ("app=api", {"app": "api"}, True),
        ("app==api", {"app": "db"}, False),
        ("app!=api", {}, True),
        ("app!=api", {"app": "api"}, False),
        ("app in (api, db)", {"app": "db"}, True),
        ("app in (api,db)", {}, False),
        ("app notin (api)", {}, True),
        ("app", {"app": ""}, True),
        ("!app", {"app": "x"}, False),
        ("app=", {"app": ""}, True),
        ("app=,tier=web", {"app": "", "tier": "web"}, True),
        ("n>3", {"n": "4"}, True),
        ("n<3", {"n": "4"}, False),
        ("n<3", {"n": "many"}, False),
        ("example.com/part in (a),!gone,tier=web", {"example.com/part": "a", "tier": "web"}, True),
        ("app in ()", {"app": ""}, True),
    ],
)
def test_a_label_selector_matches_what_it_says(
    text: str, labels: dict[str, str], matches: bool
) -> None:
    assert parse_label_selector(text).matches(labels) is matches


@pytest.mark.parametrize(
    "text",
    ["=api", "app=api,", "app in api", "app in (a", "app in (a b)", "a b", "app~x", "app=-x", ",,"],
)
def test_a_label_selector_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(SelectorError):
        parse_label_selector(text)


@given(st.lists(requirements, max_size=4))
def test_a_label_selector_survives_being_written_and_read(wanted: list[Requirement]) -> None:
    selector = LabelSelector(tuple(wanted))
    assert parse_label_selector(format_label_selector(selector)) == selector


@given(st.text(max_size=40))
def test_any_text_is_either_a_selector_or_a_selector_error(text: str) -> None:
    try:
        parse_label_selector(text)
    except SelectorError as error:
        assert str(error)


def test_expressions_and_labels_of_a_selector_object_must_all_hold() -> None:
    selector = label_selector(
        {
            "matchLabels": {"app": "api"},
            "matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["test"]}],
        }
    )
    assert selector.matches({"app": "api"})
    assert not selector.matches({"app": "api", "tier": "test"})
    assert not selector.matches({"tier": "live"})


def test_an_operator_that_kubernetes_does_not_know_is_refused() -> None:
    with pytest.raises(SelectorError, match="'Near' is not a valid label selector operator"):
        label_selector({"matchExpressions": [{"key": "a", "operator": "Near"}]})


def test_an_empty_selector_matches_everything_and_is_false() -> None:
    assert match_labels(None).matches({"any": "thing"})
    assert not match_labels({})


def test_field_selectors_are_split_at_unescaped_commas() -> None:
    assert parse_field_selector(r"metadata.name=a\,b,spec.nodeName!=node-1,x==y") == [
        FieldRequirement("metadata.name", "=", "a,b"),
        FieldRequirement("spec.nodeName", "!=", "node-1"),
        FieldRequirement("x", "=", "y"),
    ]


def test_a_field_selector_matches_an_absent_field_as_empty() -> None:
    (bound,) = parse_field_selector("spec.nodeName=")
    assert bound.matches({})
    assert not bound.matches({"spec.nodeName": "node-1"})


def test_a_field_selector_without_an_operator_is_refused() -> None:
    with pytest.raises(SelectorError, match=r"can't understand 'spec\.nodeName'"):
        parse_field_selector("spec.nodeName")

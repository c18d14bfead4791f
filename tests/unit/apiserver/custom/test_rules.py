"""Rules of custom resources: what they see, what they say, and which definitions may have them."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.apiserver.custom.rules.compiling import ruled_schema, validate_rules
from pilotfish.apiserver.custom.rules.evaluating import check_rules
from pilotfish.objects.meta import Object

RULES = "x-kubernetes-validations"
TEXT = {"type": "string"}
NUMBER = {"type": "integer"}


def rooted(spec: Object) -> Object:
    return {"type": "object", "properties": {"spec": spec}}


def struct(rules: list[Object] | Object | str, **properties: Object) -> Object:
    """An object schema with rules; a text is one rule."""
    if isinstance(rules, str):
        rules = {"rule": rules}
    given = rules if isinstance(rules, list) else [rules]
    return {"type": "object", "properties": properties, RULES: given}


def said(spec: Object, value: Any, old: Any = None) -> list[str]:
    """What is said against `value` at spec."""
    ruled = ruled_schema(rooted(spec))
    assert ruled is not None
    assert not validate_rules(rooted(spec), "root")
    before = None if old is None else {"spec": old}
    return [str(cause) for cause in check_rules(ruled, {"spec": value}, before)]


def refused(spec: Object) -> list[str]:
    """What is wrong with the rules of a schema."""
    return [str(cause) for cause in validate_rules(rooted(spec), "root")]


def test_a_failed_rule_is_told_in_kubernetes_words() -> None:
    limits = struct("self.least <= self.most", least=NUMBER, most=NUMBER)
    assert said(limits, {"least": 3, "most": 2}) == [
        'spec: Invalid value: "object": failed rule: self.least <= self.most'
    ]
    assert not said(limits, {"least": 1, "most": 2})
    worded = struct(
        {"rule": "self.least < 3", "messageExpression": "'not ' + string(self.least)"},
        least=NUMBER,
    )
    assert said(worded, {"least": 4}) == ['spec: Invalid value: "object": not 4']
    for reason, words in {
        "FieldValueForbidden": "spec.least: Forbidden: no",
        "FieldValueRequired": "spec.least: Required value: no",
        "FieldValueDuplicate": 'spec.least: Duplicate value: "object"',
        "FieldValueInvalid": 'spec.least: Invalid value: "object": no',
    }.items():
        rule = {"rule": "false", "message": "no", "reason": reason, "fieldPath": ".least"}
        assert said(struct(rule, least=NUMBER), {}) == [words]


def test_each_failed_rule_is_a_cause_and_says_its_place() -> None:
    item = struct("self.a > 0", a=NUMBER)
    spec = struct(
        [{"rule": "size(self.list) < 2"}, {"rule": "has(self.map)"}],
        list={"type": "array", "items": item},
        map={"type": "object", "additionalProperties": item},
    )
    value = {"list": [{"a": 1}, {"a": 0}], "map": {"x.y": {"a": 0}}}
    fields = [line.split(": ")[0] for line in said(spec, value)]
    assert fields == ["spec", "spec.list[1]", "spec.map[x.y]"]
    ruled = ruled_schema({"type": "object", RULES: [{"rule": "self.metadata.name == 'a'"}]})
    assert ruled is not None
    assert [str(each) for each in check_rules(ruled, {"metadata": {"name": "b"}})] == [
        "<nil>: Invalid value: \"object\": failed rule: self.metadata.name == 'a'"
    ]


@pytest.mark.parametrize(
    ("schema", "rule", "value"),
    [
        ({"type": "number"}, "self.a / 2.0 == 1.5", 3),
        (NUMBER, "self.a + 1 == 4", 3.0),
        ({"type": "string", "format": "date-time"}, "self.a.getFullYear() == 2026",
         "2026-01-02T03:04:05Z"),
        ({"type": "string", "format": "date"}, "self.a < timestamp('2027-01-01T00:00:00Z')",
         "2026-01-02"),
        ({"type": "string", "format": "duration"}, "self.a > duration('1h')", "90m"),
        ({"type": "string", "format": "byte"}, "self.a == b'hi'", "aGk="),
        ({"x-kubernetes-int-or-string": True},
         "type(self.a) == int ? self.a < 10 : self.a == '50%'", 5),
        ({"x-kubernetes-int-or-string": True},
         "type(self.a) == int ? self.a < 10 : self.a == '50%'", "50%"),
        ({"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"},
         "self.a == ['y', 'x'] && size(self.a + ['x', 'z']) == 3", ["x", "y"]),
        ({"type": "object", "additionalProperties": TEXT},
         "self.a.all(k, self.a[k].startsWith(k)) && 'b' in self.a", {"b": "bb"}),
        (TEXT, "self.?b.orValue('none') == 'none' && self.?a.hasValue()", "x"),
        (TEXT, "self.a.matches('^x+$') && self.a.find('x') == 'x'", "xx"),
        (TEXT, "quantity(self.a).isGreaterThan(quantity('1Mi'))", "1Gi"),
        (TEXT, "cidr('10.0.0.0/8').containsIP(self.a) && ip(self.a).family() == 4", "10.1.2.3"),
        (TEXT, "url(self.a).getHostname() == 'example.com'", "https://example.com:80/x"),
        (TEXT, "!format.dns1123Label().validate(self.a).hasValue()", "good-name"),
        (TEXT, "format.named('dns1123Label').value().validate(self.a).hasValue()", "Bad"),
        ({"type": "array", "items": NUMBER},
         "self.a.isSorted() && self.a.sum() == 6 && self.a.max() == 3", [1, 2, 3]),
        (TEXT, "self.a.split(',').map(x, x.trim()).join('-') == 'a-b'", "a, b"),
    ],
)  # fmt: skip
def test_values_have_the_types_that_the_schema_says(
    schema: Object, rule: str, value: object
) -> None:
    assert not said(struct(rule, a=schema, b=TEXT), {"a": value})


def test_names_that_are_no_identifiers_are_escaped() -> None:
    rule = "self.a__dash__b == 'x' && self.__namespace__ == 'y' && self.c__dot__d__slash__e == 'z'"
    names = {"a-b": TEXT, "namespace": TEXT, "c.d/e": TEXT}
    spec = struct(rule, **names)
    assert not said(spec, {"a-b": "x", "namespace": "y", "c.d/e": "z"})


def test_transition_rules_compare_with_what_was_before() -> None:
    fixed = struct("self.a == oldSelf.a", a=TEXT)
    assert not said(fixed, {"a": "x"})
    assert not said(fixed, {"a": "x"}, {"a": "x"})
    assert said(fixed, {"a": "y"}, {"a": "x"})
    once = {"rule": "!oldSelf.hasValue() || self == oldSelf.value()", "optionalOldSelf": True}
    spec = struct([], a={**TEXT, RULES: [once]})
    assert not said(spec, {"a": "x"}, {})
    assert said(spec, {"a": "y"}, {"a": "x"})


def test_items_with_keys_are_compared_with_their_own_past() -> None:
    item = struct("self.v >= oldSelf.v", k=TEXT, v=NUMBER)
    keyed = {
        "type": "array",
        "items": item,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
    }
    spec = struct([], list=keyed)
    old = {"list": [{"k": "a", "v": 1}, {"k": "b", "v": 5}]}
    assert not said(spec, {"list": [{"k": "b", "v": 6}, {"k": "a", "v": 1}]}, old)
    lines = said(spec, {"list": [{"k": "b", "v": 4}, {"k": "c", "v": 0}]}, old)
    assert [line.split(": ")[0] for line in lines] == ["spec.list[0]"]
    loose = struct([], list={"type": "array", "items": item})
    assert refused(loose) == [
        'root.properties[spec].properties[list].items.x-kubernetes-validations[0].rule: Invalid '
        'value: "self.v >= oldSelf.v": oldSelf cannot be used on the uncorrelatable portion of '
        "the schema within root.properties[spec].properties[list]"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("self.list != dyn([1])", ""),
        ("self.list != dyn([{'k': ['a']}])", ""),
        ("[{'k': 'a'}] == dyn(self.list)", ""),
        ("dyn(self.list) + [1] != []", "no such overload: items without the keys of the list"),
    ],
)
def test_items_with_keys_are_compared_with_whatever_a_rule_makes(rule: str, words: str) -> None:
    keyed = {
        "type": "array",
        "items": {"type": "object", "properties": {"k": TEXT}},
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
    }
    lines = said(struct(rule, list=keyed), {"list": [{"k": "a"}]})
    assert len(lines) == bool(words)
    assert all(words in line for line in lines)


def test_what_an_update_leaves_as_it_is_is_not_held_against_it() -> None:
    spec = struct([], a={**TEXT, RULES: [{"rule": "self == 'good'"}]}, b=NUMBER)
    assert not said(spec, {"a": "bad", "b": 2}, {"a": "bad", "b": 1})
    assert said(spec, {"a": "worse", "b": 1}, {"a": "bad", "b": 1})


def test_a_rule_without_a_value_says_why() -> None:
    spec = struct("self.a == 'x'", a=TEXT)
    assert said(spec, {}) == [
        "spec: Invalid value: \"object\": no such key: a evaluating rule: self.a == 'x'"
    ]
    either = struct("self.a < 5", a={"x-kubernetes-int-or-string": True})
    assert "call arguments did not match a supported operator" in said(either, {"a": "x"})[0]


def test_rules_that_loop_for_ever_are_stopped_in_the_end() -> None:
    items = {"type": "array", "items": NUMBER, "maxItems": 440}
    cubic = "self.a.all(x, self.a.all(y, self.a.all(z, x + y + z >= 0)))"
    few = {**items, "maxItems": 200}
    one = said(struct(cubic, a=few), {"a": [0] * 100})
    assert len(one) == 1
    assert "actual cost limit exceeded" in one[0]
    square = {"rule": "self.a.all(x, self.a.all(y, x + y >= 0))"}
    many = said(struct([square] * 8, a=items), {"a": [0] * 440})
    assert len(many) == 1
    assert "running out of cost budget" in many[0]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"rule": ""}, "rule: Required value: rule is not specified"),
        ({"rule": "self.a"}, "cel expression must evaluate to a bool"),
        ({"rule": "self.b == 1"}, "compilation failed: ERROR: <input>:1:6: undefined field 'b'"),
        ({"rule": "me.a == 1"}, "undeclared reference to 'me' (in container '')"),
        ({"rule": "self = 42"}, "ERROR: <input>:1:6: Syntax error: "),
        ({"rule": "self.a == 1"}, "compilation failed: ERROR: <input>:1:11: "),
        (
            {"rule": "self.a =="},
            "compilation failed: ERROR: <input>:1:10: Syntax error: it ends too early",
        ),
        ({"rule": "true", "messageExpression": "1"}, "must evaluate to a string"),
        ({"rule": "true", "messageExpression": "self."}, "messageExpression compilation failed"),
        ({"rule": "true", "messageExpression": " "}, "must be non-empty if specified"),
        ({"rule": "true", "message": "a\nb"}, "message must not contain line breaks"),
        ({"rule": "true ||\nfalse"}, "message must be specified if rule contains line breaks"),
        ({"rule": "true", "message": "  "}, "message must be non-empty if specified"),
        ({"rule": "true", "reason": "Why"}, 'reason: Unsupported value: "Why"'),
        ({"rule": "true", "fieldPath": ".b"}, "does not refer to a valid field"),
        ({"rule": "true", "fieldPath": "a"}, "expected [ or . but got: a"),
        ({"rule": "ip('1.2.3')  == ip('::')"}, "parse error during conversion from string"),
    ],
)
def test_rules_that_cannot_be_used_make_the_definition_invalid(rule: Object, words: str) -> None:
    found = refused(struct(rule, a=TEXT))
    assert len(found) == 1
    assert words in found[0]
    assert found[0].startswith("root.properties[spec].x-kubernetes-validations[0]")


def test_rules_that_could_cost_too_much_are_refused_with_their_definition() -> None:
    """As in Kubernetes' conformance test: a loop over each of unlimited many unlimited lists."""
    inner = {"type": "array", "items": TEXT, RULES: [{"rule": "self.all(s, s == 'x')"}]}
    unlimited = struct([], x={"type": "array", "items": inner})
    (found,) = refused(unlimited)
    assert "estimated rule cost exceeds budget by factor of more than 100x" in found
    limited = {"type": "array", "items": {**inner, "maxItems": 10}, "maxItems": 10}
    assert not refused(struct([], x=limited))
    assert not refused({**inner, RULES: [{"rule": "self.all(s, s != '')"}]})
    nested = {"rule": "self.x.all(a, self.x.all(b, a == b))"}
    assert refused(struct(nested, x={"type": "array", "items": TEXT}))
    assert not refused(struct(nested, x={"type": "array", "items": TEXT, "maxItems": 100}))
    keys = {"rule": "self.x.all(k, self.x[k].all(v, v != ''))"}
    lists = {"type": "array", "items": TEXT}
    assert refused(struct(keys, x={"type": "object", "additionalProperties": lists}))

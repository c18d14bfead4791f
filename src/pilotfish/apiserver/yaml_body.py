"""YAML in a request's body, made JSON: what sigs.k8s.io/yaml does for kube-apiserver.

The parser's events are taken one by one, so nothing that is nested, repeated by aliases or long
gets further than its bound, and other requests are answered in between. Only the first document
counts. A later key overwrites an earlier one; strict requests are told.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import yaml

from pilotfish.apiserver.limits import MAX_BODY, MAX_DEPTH
from pilotfish.apiserver.yaml_scalars import Scalar, key_text, plain_scalar, tagged_scalar

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# So many events are read at a time; a few milliseconds.
_AT_ONCE: Final = 1000
# %YAML and %TAG lines: libyaml compares each with all before it.
_MOST_DIRECTIVES: Final = 16
_MERGE: Final = "<<"


class YamlError(Exception):
    """Text that is no YAML, or more than is taken; the words are go-yaml's where it has any."""


@dataclass(frozen=True, slots=True)
class Converted:
    """A document of YAML as JSON.

    Attributes:
        body: the JSON.
        duplicates: what a strict reader says of keys that stand twice in one mapping; "" for
            nothing.
    """

    body: bytes
    duplicates: str = ""


async def yaml_to_json(body: bytes) -> Converted:
    """Convert the first document; lets other tasks run every few milliseconds.

    Raises:
        YamlError: for what is no YAML, and for what is nested, repeated or expanded too much.
    """
    reading = _Reading()
    for count, _ in enumerate(reading.steps(body), 1):
        if count % _AT_ONCE == 0:
            await asyncio.sleep(0)
    duplicates = ""
    if reading.duplicates:
        lines = "\n  ".join(reading.duplicates)
        duplicates = f"yaml: unmarshal errors:\n  {lines}"
    try:
        return Converted(orjson.dumps(reading.root), duplicates)
    except TypeError as error:  # text with half a character
        raise YamlError(f"yaml: {error}") from error


@dataclass(slots=True)
class _Open:
    """A mapping or sequence that has not ended.

    Attributes:
        key: of a mapping: where the next value goes.
        has_key: whether the next node is a value.
        merges: whether that value is merged in ("<<").
        began: the size of the document before it.
    """

    container: Any
    anchor: str | None
    began: int
    key: str = ""
    has_key: bool = False
    merges: bool = False


@dataclass(slots=True)
class _Reading:
    """One document on its way from events to values.

    Attributes:
        size: bytes of text and a few for each node, aliases counted as what they stand for.
    """

    root: Any = None
    duplicates: list[str] = field(default_factory=list)
    size: int = 0
    _open: list[_Open] = field(default_factory=list)
    _anchors: dict[str, tuple[Any, int] | None] = field(default_factory=dict)

    def steps(self, body: bytes) -> Iterator[None]:
        """Take in the document, one event for each step."""
        text = _text(body)
        try:
            loader = _Loader(text)
            try:
                while not isinstance(event := loader.get_event(), yaml.DocumentEndEvent):
                    if isinstance(event, yaml.StreamEndEvent):
                        return
                    self._take(event)
                    yield
            finally:
                loader.dispose()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = f"line {mark.line + 1}: " if mark is not None else ""
            raise YamlError(f"yaml: {where}{error.problem or error.context}") from error
        except yaml.YAMLError as error:
            raise YamlError(f"yaml: {error}") from error

    def _take(self, event: Any) -> None:
        line = event.start_mark.line + 1
        match event:
            case yaml.ScalarEvent():
                self._grow(len(event.value) + 3)
                self._scalar(event, line)
            case yaml.AliasEvent():
                self._alias(str(event.anchor), line)
            case yaml.MappingStartEvent():
                self._start({}, event.anchor, line)
            case yaml.SequenceStartEvent():
                self._start([], event.anchor, line)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                ended = self._open.pop()
                self._keep(ended.anchor, ended.container, ended.began)
                self._place(ended.container, line)

    def _grow(self, by: int) -> None:
        self.size += by
        if self.size > MAX_BODY:
            raise YamlError("yaml: document contains excessive aliasing")

    def _start(self, container: Any, anchor: str | None, line: int) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise YamlError(f"yaml: line {line}: exceeded max depth of {MAX_DEPTH}")
        if self._open and isinstance(self._open[-1].container, dict) and not self._open[-1].has_key:
            raise YamlError(f"yaml: line {line}: invalid map key: not a scalar")
        if anchor is not None:
            self._anchors[anchor] = None
        self._open.append(_Open(container, anchor, self.size))
        self._grow(3)

    def _scalar(self, event: Any, line: int) -> None:
        before = self.size - len(event.value) - 3
        plain, _ = event.implicit
        try:
            value: Scalar = event.value
            if event.tag is not None and event.tag != "!":
                value = tagged_scalar(event.value, event.tag)
            elif plain:
                value = plain_scalar(event.value)
            top = self._open[-1] if self._open else None
            if top is not None and isinstance(top.container, dict) and not top.has_key:
                top.merges = event.value == _MERGE and plain
                top.key, top.has_key = key_text(value), True
                self._keep(event.anchor, value, before)
                return
        except ValueError as error:
            raise YamlError(f"yaml: line {line}: {error}") from error
        if isinstance(value, float) and not math.isfinite(value):
            raise YamlError(f"json: unsupported value: {value}")
        self._keep(event.anchor, value, before)
        self._place(value, line)

    def _alias(self, anchor: str, line: int) -> None:
        if anchor not in self._anchors:
            raise YamlError(f"yaml: unknown anchor '{anchor}' referenced")
        known = self._anchors[anchor]
        if known is None:
            raise YamlError(f"yaml: anchor '{anchor}' value contains itself")
        value, size = known
        self._grow(size)
        top = self._open[-1] if self._open else None
        if top is not None and isinstance(top.container, dict) and not top.has_key:
            if isinstance(value, dict | list):
                raise YamlError(f"yaml: line {line}: invalid map key: not a scalar")
            try:
                top.key, top.has_key, top.merges = key_text(value), True, False
            except ValueError as error:
                raise YamlError(f"yaml: line {line}: {error}") from error
            return
        if isinstance(value, dict | list) and len(self._open) + _depth(value) > MAX_DEPTH:
            raise YamlError(f"yaml: line {line}: exceeded max depth of {MAX_DEPTH}")
        self._place(value, line)

    def _keep(self, anchor: str | None, value: Any, began: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = (value, self.size - began)

    def _place(self, value: Any, line: int) -> None:
        """Put a value where the document has it."""
        if not self._open:
            self.root = value
            return
        top = self._open[-1]
        if isinstance(top.container, list):
            top.container.append(value)
            return
        if top.merges:
            self._merge(top.container, value, line)
        else:
            self._set(top.container, top.key, value, line)
        top.has_key = top.merges = False

    def _set(self, mapping: dict[str, Any], key: str, value: Any, line: int) -> None:
        if key in mapping and len(self.duplicates) < 100:
            quoted = orjson.dumps(key, default=str).decode()
            self.duplicates.append(f"line {line}: key {quoted} already set in map")
        mapping[key] = value

    def _merge(self, mapping: dict[str, Any], value: Any, line: int) -> None:
        """Merge in what stands behind "<<": a mapping, or several of which the first wins."""
        several = value if isinstance(value, list) else [value]
        for each in reversed(several):
            if not isinstance(each, dict):
                raise YamlError(f"yaml: line {line}: map merge requires map or sequence of maps")
            for key, item in each.items():
                self._set(mapping, key, item, line)


def _depth(value: Any) -> int:
    """How deeply a value of at most MAX_DEPTH is nested.

    Shared parts are walked as often as they stand in it, which its size has paid for.
    """
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            item
            for each in level
            for item in (each.values() if isinstance(each, dict) else each)
            if isinstance(item, dict | list)
        ]
    return depth


def _text(body: bytes) -> str:
    """The text of the document; YAML's encodings are UTF-8 and UTF-16."""
    encoding = "utf-16" if body[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        raise YamlError(f"yaml: invalid {encoding[:6].upper()}: {error.reason}") from error
    directives = 0
    for match in re.finditer("[^\r\n\x85\u2028\u2029]+", text):
        line = match[0].lstrip(" \t")
        if line and line[0] not in "%#":
            break
        directives += line[:1] == "%"
        if directives > _MOST_DIRECTIVES:
            raise YamlError(f"yaml: more than {_MOST_DIRECTIVES} directives")
    return text

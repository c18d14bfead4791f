"""Text → syntax tree: CEL's grammar.

https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax, without the
construction of protocol buffer messages, which nobody has a use for here, and with optional
fields, items and entries (`a.?b`, `a[?b]`, `[?a]`, `{?k: a}`). Chains of `&&` and `||` are one
node, so that an expression may name very many alternatives.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from pilotfish.cel import literals, syntax
from pilotfish.cel.errors import SyntaxFaultError
from pilotfish.cel.syntax import Node, depth_over
from pilotfish.cel.types import BOOL, DOUBLE, INT, NULL, Type

# CEL asks for at least 12 to 32, depending on what is nested; each costs a few frames of stack.
MAX_DEPTH = 60

_GRAMMAR = r"""
start: expression
?expression: or_chain
    | or_chain QUESTION or_chain COLON expression -> conditional
?or_chain: and_chain | and_chain (OR and_chain)+ -> logic
?and_chain: relation | relation (AND relation)+ -> logic
?relation: addition | relation (RELATION | IN) addition -> binary
?addition: product | addition (PLUS | MINUS) product -> binary
?product: unary | product TIMES unary -> binary
?unary: member | (NOT)+ member -> prefix | (MINUS)+ member -> prefix
?member: primary
    | member DOT (IDENTIFIER | RESERVED) -> select
    | member DOT (IDENTIFIER | RESERVED) LPAR [arguments] RPAR -> method
    | member DOT QUESTION (IDENTIFIER | RESERVED) -> select
    | member LSQB expression RSQB -> index
    | member LSQB QUESTION expression RSQB -> index
?primary: DOT? (IDENTIFIER | RESERVED) -> name
    | DOT? (IDENTIFIER | RESERVED) LPAR [arguments] RPAR -> call
    | LPAR expression RPAR -> group
    | LSQB [items [COMMA]] RSQB -> list_of
    | LBRACE [entries [COMMA]] RBRACE -> map_of
    | NUMBER -> number
    | STRING -> string
    | CONSTANT -> constant
arguments: expression | arguments COMMA expression
items: item | items COMMA item
?item: expression | QUESTION expression -> maybe
entries: key COLON expression | entries COMMA key COLON expression
?key: expression | QUESTION expression -> maybe

QUESTION: "?"
COLON: ":"
OR: "||"
AND: "&&"
IN: "in"
RELATION: "==" | "!=" | "<=" | ">=" | "<" | ">"
PLUS: "+"
MINUS: "-"
TIMES: "*" | "/" | "%"
NOT: "!"
DOT: "."
COMMA: ","
LPAR: "("
RPAR: ")"
LSQB: "["
RSQB: "]"
LBRACE: "{"
RBRACE: "}"
CONSTANT.3: /(true|false|null)(?![_a-zA-Z0-9])/
RESERVED.3: /(as|break|const|continue|else|for|function|if|import|let|loop)(?![_a-zA-Z0-9])/
    | /(package|namespace|return|var|void|while)(?![_a-zA-Z0-9])/
IDENTIFIER: /[_a-zA-Z][_a-zA-Z0-9]*/
NUMBER.2: /[0-9]*\.[0-9]+([eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|0x[0-9a-fA-F]+[uU]?|[0-9]+[uU]?/
STRING.2: /[bB]?[rR]("{3}(.|\n)*?"{3}|'{3}(.|\n)*?'{3}|"[^"\r\n]*"|'[^'\r\n]*')/
    | /[bB]?("{3}(\\(.|\n)|[^\\])*?"{3}|'{3}(\\(.|\n)|[^\\])*?'{3})/
    | /[bB]?("(\\.|[^"\\\r\n])*"|'(\\.|[^'\\\r\n])*')/
COMMENT: /\/\/[^\n]*/
%ignore /[\t\n\f\r ]+/
%ignore COMMENT
"""

# What people write who come from other languages, and its word here.
_FOREIGN = {"and": "&&", "or": "||", "not": "!", "&": "&&", "|": "||", "=": "==", "is": "=="}
_SIGNED = (INT, DOUBLE)
_WORD = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*|.", re.DOTALL)


class _PlaceError(Exception):
    """A SyntaxFaultError that does not know the whole text yet."""

    def __init__(self, message: str, token: Token) -> None:
        super().__init__(message)
        self.message = message
        self.at = token.start_pos or 0
        self.width = len(token)


def parse(text: str) -> Node:
    """The tree of an expression.

    Raises:
        SyntaxFaultError: it is no expression, or too deep.
    """
    try:
        # The tree is built while reading, so nothing here goes as deep as the text does.
        return cast("Node", _parser().parse(text))
    except UnexpectedCharacters as error:
        raise _unexpected(text, error.pos_in_stream or 0) from None
    except UnexpectedToken as error:
        raise _unexpected(text, _offset(error.token, text)) from None
    except _PlaceError as error:
        raise SyntaxFaultError(error.message, text, error.at, error.width) from None


@functools.cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", transformer=_Builder(), maybe_placeholders=False)


def _offset(token: Token, text: str) -> int:
    return len(text) if token.type == "$END" else token.start_pos or 0


def _unexpected(text: str, at: int) -> SyntaxFaultError:
    match = _WORD.match(text, at)
    if match is None:
        return SyntaxFaultError("it ends too early", text, len(text))
    word = match[0]
    if word in "\"'":
        return SyntaxFaultError("this string has no end", text, at)
    instead = _FOREIGN.get(word, "")
    shown = word if word.isprintable() else f"U+{ord(word):04X}"
    return SyntaxFaultError(f"{shown} has no meaning here", text, at, len(word), instead)


class _Builder(Transformer[Token, Node]):
    """Makes nodes of what the parser has read; called from the leaves up."""

    def start(self, children: list[Node]) -> Node:
        return children[0]

    def group(self, children: list[Any]) -> Node:
        return cast("Node", children[1])

    def conditional(self, children: list[Any]) -> Node:
        condition, token, yes, _, no = children
        return syntax.Conditional(
            token.start_pos, 1, _depth(token, condition, yes, no), condition, yes, no
        )

    def logic(self, children: list[Any]) -> Node:
        token = children[1]
        operands = tuple(children[::2])
        return syntax.Logic(token.start_pos, 2, _depth(token, *operands), str(token), operands)

    def binary(self, children: list[Any]) -> Node:
        left, token, right = children
        depth = _depth(token, left, right)
        return syntax.Binary(token.start_pos, len(token), depth, str(token), left, right)

    def prefix(self, children: list[Any]) -> Node:
        *tokens, operand = children
        for token in reversed(tokens):
            is_literal = isinstance(operand, syntax.Literal) and operand.type in _SIGNED
            if token == "-" and is_literal and operand.value >= 0:
                operand = replace(operand, at=token.start_pos, value=-operand.value)
                continue
            depth = _depth(token, operand)
            operand = syntax.Unary(token.start_pos, 1, depth, str(token), operand)
        return cast("Node", operand)

    def select(self, children: list[Any]) -> Node:
        operand, *marks, name = children
        depth, is_optional = _depth(name, operand), len(marks) > 1
        return syntax.Select(
            name.start_pos, len(name), depth, operand, str(name), optional=is_optional
        )

    def method(self, children: list[Any]) -> Node:
        target, _, name, _, *arguments, _ = children
        given = tuple(arguments[0]) if arguments else ()
        depth = _depth(name, target, *given)
        return syntax.Call(name.start_pos, len(name), depth, str(name), target, given)

    def index(self, children: list[Any]) -> Node:
        operand, token, *marks, key, _ = children
        depth, is_optional = _depth(token, operand, key), bool(marks)
        return syntax.Index(key.at, key.width, depth, operand, key, optional=is_optional)

    def name(self, children: list[Any]) -> Node:
        token = _allowed(children[-1])
        return syntax.Name(token.start_pos or 0, len(token), 1, str(token))

    def call(self, children: list[Any]) -> Node:
        token, _, *arguments, _ = children[1:] if children[0].type == "DOT" else children
        _allowed(token)
        given = tuple(arguments[0]) if arguments else ()
        return syntax.Call(
            token.start_pos, len(token), _depth(token, *given), str(token), None, given
        )

    def list_of(self, children: list[Any]) -> Node:
        token = children[0]
        items = next((tuple(each) for each in children if not isinstance(each, Token)), ())
        return syntax.ListOf(token.start_pos, 1, _depth(token, *items), items)

    def map_of(self, children: list[Any]) -> Node:
        token = children[0]
        said: list[Node] = next((each for each in children if not isinstance(each, Token)), [])
        entries = tuple(zip(said[::2], said[1::2], strict=True))
        return syntax.MapOf(token.start_pos, 1, _depth(token, *said), entries)

    def arguments(self, children: list[Any]) -> list[Node]:
        before: list[Node] = []
        if isinstance(children[0], list):
            before, *children = children
        before.extend(child for child in children if not isinstance(child, Token))
        return before

    entries = items = arguments

    def maybe(self, children: list[Any]) -> Node:
        token, operand = children
        return syntax.Maybe(token.start_pos, 1, operand.depth, operand)

    def number(self, children: list[Token]) -> Node:
        return _literal(children[0], literals.number)

    def string(self, children: list[Token]) -> Node:
        return _literal(children[0], literals.string)

    def constant(self, children: list[Token]) -> Node:
        token = children[0]
        value = {"true": True, "false": False, "null": None}[token]
        kind = NULL if value is None else BOOL
        return syntax.Literal(token.start_pos or 0, len(token), 1, value, kind)


def _depth(token: Token, *nodes: Node) -> int:
    depth = depth_over(nodes)
    if depth > MAX_DEPTH:
        raise _PlaceError(f"more than {MAX_DEPTH} things lie within one another here", token)
    return depth


def _allowed(token: Token) -> Token:
    if token.type == "RESERVED":
        raise _PlaceError(f"{token} is a reserved word of CEL", token)
    return token


def _literal(token: Token, read: Callable[[str], tuple[Any, Type]]) -> Node:
    try:
        value, kind = read(str(token))
    except literals.LiteralError as error:
        raise _PlaceError(str(error), token) from error
    return syntax.Literal(token.start_pos or 0, len(token), 1, value, kind)

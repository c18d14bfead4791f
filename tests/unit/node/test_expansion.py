"""$(VAR) references in command, args and env."""

from __future__ import annotations

import pytest

from pilotfish.node.errors import ContainerConfigError
from pilotfish.node.expansion import expand, expand_all


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello $(NAME)", "hello pod"),
        ("$(UNKNOWN) stays", "$(UNKNOWN) stays"),
        ("$$(NAME)", "$(NAME)"),
        ("$$$(NAME)", "$pod"),
        ("$NAME and ${NAME} are the shell's", "$NAME and ${NAME} are the shell's"),
        ("an open $(NAME", "an open $(NAME"),
        ("an open $(NAME and $$$$ $$(X", "an open $(NAME and $$ $(X"),
        ("$", "$"),
        ("a$", "a$"),
        ("$(a$(NAME)", "$(a$(NAME)"),
        ("$()$(NAME)$(NAME)", "$()podpod"),
        ("$(" * 60_000, "$(" * 60_000),
    ],
)
def test_references_are_expanded_as_kubernetes_does(text: str, expected: str) -> None:
    assert expand(text, {"NAME": "pod"}) == expected


def test_references_to_references_end_at_what_a_program_can_get() -> None:
    values = {"A": "x" * 1000}
    with pytest.raises(ContainerConfigError, match="expands to more than 131072 characters"):
        expand("$(A)" * 132, values)
    with pytest.raises(ContainerConfigError, match="command and args expand to more than"):
        expand_all(["$(A)" * 131] * 50, values)

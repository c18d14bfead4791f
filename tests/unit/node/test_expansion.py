"""$(VAR) references in command, args and env."""

from __future__ import annotations

import pytest

from pilotfish.node.expansion import expand


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello $(NAME)", "hello pod"),
        ("$(UNKNOWN) stays", "$(UNKNOWN) stays"),
        ("$$(NAME)", "$(NAME)"),
        ("$$$(NAME)", "$pod"),
        ("$NAME and ${NAME} are the shell's", "$NAME and ${NAME} are the shell's"),
        ("an open $(NAME", "an open $(NAME"),
        ("$", "$"),
    ],
)
def test_references_are_expanded_as_kubernetes_does(text: str, expected: str) -> None:
    assert expand(text, {"NAME": "pod"}) == expected

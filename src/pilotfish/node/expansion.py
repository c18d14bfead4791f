"""The $(VAR) references of command, args and env values.

Rules (Kubernetes, "Define dependent environment variables"): $(NAME) is replaced when NAME is
known and stays as written otherwise; $$ is a literal $, so $$(NAME) is never expanded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$(\$|\(([^)]*)\))")


def expand(text: str, values: Mapping[str, str]) -> str:
    def replace(match: re.Match[str]) -> str:
        if match[1] == "$":
            return "$"
        return values.get(match[2], match[0])

    return _REFERENCE.sub(replace, text)

"""Which history a user means, and what to say of what it does not have.

A cluster that is down has taken its context out of the kubeconfig; its history is still there.
"""

from __future__ import annotations

import contextlib
from datetime import datetime
from pathlib import Path

from pilotfish.client.config import ClientConfig, ConfigError, current_context
from pilotfish.tap.history.errors import HistoryError
from pilotfish.tap.history.folders import history_folder, known_histories
from pilotfish.tap.history.reader import Span

_WHO_RECORDS = "`pilotfish proxy` records while it runs"


def context_to_look_at(kubeconfig: Path | None, context: str) -> str:
    """The name of the context whose history is meant.

    Args:
        kubeconfig: the file; None for those that kubectl would read.
        context: what the user named; "" for the current one, or, where there is none, for the
            only one that has a history.

    Raises:
        HistoryError: it has no history.
    """
    known = known_histories()
    name = context
    if not name:
        with contextlib.suppress(ConfigError):  # without one, there may be a history all the same
            name = current_context(kubeconfig)
    if not name and len(known) == 1:
        return known[0]
    if name and history_folder(name).is_dir():
        return name
    missing = f"there is no history of context {name!r}" if name else "no context is current"
    others = f"there is one of {', '.join(known)}: name it with --context" if known else ""
    raise HistoryError("; ".join(part for part in (missing, others or _WHO_RECORDS) if part))


def namespace_of_context(kubeconfig: Path | None, context: str) -> str:
    """The namespace of a context; `default` for one that is not in the kubeconfig any more."""
    try:
        return ClientConfig.from_kubeconfig(kubeconfig, context).namespace
    except ConfigError:
        return "default"


def shortcoming(context: str, span: Span | None, since_us: int) -> str:
    """What the history of a context lacks of the time since then, in a line; "" for nothing."""
    if span is None:
        return f"the history of context {context} is empty; {_WHO_RECORDS}"
    if span.last_us < since_us:
        return f"the history of context {context} ends at {clock(span.last_us)}; {_WHO_RECORDS}"
    if span.first_us > since_us:
        return f"the history of context {context} begins at {clock(span.first_us)}; {_WHO_RECORDS}"
    return ""


def clock(time_us: int) -> str:
    """A moment for people, where they are."""
    return datetime.fromtimestamp(time_us / 1e6).astimezone().strftime("%Y-%m-%d %H:%M:%S")

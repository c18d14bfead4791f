"""Prometheus' text form of metrics: version 0.0.4 of its exposition formats.

Source: Prometheus documentation, "Exposition formats".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Labels = tuple[tuple[str, str], ...]

_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


def head(name: str, type_: str, text: str) -> Iterator[str]:
    """The lines before the samples of a metric. type_: counter, gauge or histogram."""
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {type_}"


def sample(name: str, labels: Labels, value: float) -> str:
    """The line of one sample; values of labels may be any text."""
    shown = ",".join(f'{key}="{text.translate(_ESCAPES)}"' for key, text in labels)
    return f"{name}{{{shown}}} {value}" if shown else f"{name} {value}"


def histogram(
    name: str, labels: Labels, bounds: Sequence[float], counts: Iterable[int], total: float
) -> Iterator[str]:
    """The lines of a histogram.

    Args:
        bounds: upper bounds of the buckets, ascending.
        counts: of each bucket alone; one more than bounds, for what is beyond them.
        total: sum of all that was counted.
    """
    counted = 0
    for bound, count in zip((*bounds, None), counts, strict=True):
        counted += count
        text = "+Inf" if bound is None else f"{bound:g}"
        yield sample(f"{name}_bucket", (*labels, ("le", text)), counted)
    yield sample(f"{name}_sum", labels, total)
    yield sample(f"{name}_count", labels, counted)

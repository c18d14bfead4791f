"""What a benchmark gives: rows that compare, and the words around them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """One measured figure beside what it is compared with.

    Attributes:
        what: what was measured.
        figure: the value with its unit, as people read it.
        beside: the peer or limit measured in the same run, and its figure; "" where there is none.
        ratio: ours over theirs, where that says something; None otherwise.
        goal: what we want it to be; "" where there is no goal.
    """

    what: str
    figure: str
    beside: str = ""
    ratio: float | None = None
    goal: str = ""


@dataclass
class Report:
    """The outcome of one benchmark.

    Attributes:
        title: its heading.
        rows: the table.
        notes: paragraphs or blocks of Markdown below the table.
    """

    title: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def markdown(self) -> str:
        """The report as a section of docs/benchmarks.md."""
        lines = [f"## {self.title}", ""]
        if self.rows:
            lines += [
                "| what | measured | beside | ratio | goal |",
                "| --- | --- | --- | --- | --- |",
            ]
            lines += [
                f"| {row.what} | {row.figure} | {row.beside or '–'} | "
                f"{'–' if row.ratio is None else f'{row.ratio:.3g}'} | {row.goal or '–'} |"
                for row in self.rows
            ]
            lines.append("")
        for note in self.notes:
            lines += [note, ""]
        return "\n".join(lines)


def percentile(values: list[float], share: float) -> float:
    """The value below which that share (0..1) of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def milliseconds(seconds: float) -> str:
    """A duration as people read it."""
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"

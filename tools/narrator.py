"""How the demo speaks: headings, commands as a reader would type them, what came back.

The same words go to the terminal and into a transcript, which is docs/tutorial.md.
"""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Callable

_BAR_WIDTH = 40
_COMMAND_TIMEOUT_S = 60.0
_POLL_S = 0.1


class StoryBroken(Exception):
    """What came back is not what the story promises."""


class Narrator:
    """Tells the story step by step, and knows in which step it is."""

    def __init__(self) -> None:
        self.step = "the beginning"
        self.transcript: list[str] = []
        self._colours = sys.stdout.isatty()

    def heading(self, number: int, title: str, text: str) -> None:
        """Begin a step."""
        self.step = f"step {number}, {title}"
        self.transcript.append(f"## {number}. {title}")
        print(f"\n{self._bold(f'{number}. {title}')}")
        self.say(text)

    def say(self, text: str) -> None:
        """A paragraph between commands."""
        joined = " ".join(text.split())
        self.transcript.append(joined)
        print(textwrap.fill(joined, 88), end="\n\n", flush=True)

    def show_command(self, command: str) -> None:
        """Show a command without running it."""
        self.transcript.append(f"    $ {command}")
        print(f"  {self._bold('$ ' + command)}", flush=True)

    def run(
        self,
        command: str,
        *,
        fails: bool = False,
        lines: int | None = None,
        quiet: bool = False,
        shown: str = "",
        timeout_s: float = _COMMAND_TIMEOUT_S,
    ) -> str:
        """Show a shell command, run it, show what came back (its first `lines`), return it all.

        fails: the command has to fail instead. quiet: do not show what came back. shown: how the
        command is shown, where it names things of this run only. Raises StoryBroken.
        """
        self.show_command(shown or command)
        try:
            done = subprocess.run(
                ["bash", "-c", command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=timeout_s,
            )
        except subprocess.TimeoutExpired as error:
            raise StoryBroken(f"no end after {timeout_s:.0f} s: {command}") from error
        if not quiet:
            self._show(done.stdout, lines)
        if (done.returncode != 0) != fails:
            if quiet:
                self._show(done.stdout, None)
            raise StoryBroken(f"exit code {done.returncode} from: {command}")
        return done.stdout

    def quote(self, output: str) -> None:
        """Show what a command that runs meanwhile has said."""
        self.transcript.append("")
        self._show(output, None)
        self.transcript[-1] = self.transcript[-1].removeprefix("\n")

    def ask(self, command: str) -> str:
        """Run a command without telling: for names and addresses that the next one needs."""
        done = subprocess.run(
            ["bash", "-c", command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_COMMAND_TIMEOUT_S,
        )
        return done.stdout.strip()

    def until(self, what: str, holds: Callable[[], bool], timeout_s: float = 30.0) -> None:
        """Wait for something to come true. Raises StoryBroken when it does not."""
        deadline = time.monotonic() + timeout_s
        while not holds():
            if time.monotonic() > deadline:
                raise StoryBroken(f"not within {timeout_s:.0f} s: {what}")
            time.sleep(_POLL_S)

    def expect(self, holds: bool, what: str) -> None:
        """Raise StoryBroken unless `holds`."""
        if not holds:
            raise StoryBroken(f"expected {what}")

    def chart(self, counts: Counter[str], pods: list[str]) -> None:
        """Show how many requests each Pod got, as bars; a Pod without any is shown too."""
        most = max([*counts.values(), 1])
        width = max(len(pod) for pod in pods)
        lines = []
        for pod in pods:
            bar = "█" * round(counts[pod] / most * _BAR_WIDTH)
            lines.append(f"{pod:<{width}}  {counts[pod]:>3} {bar}")
        self._show("\n".join(lines), None)

    def _show(self, output: str, lines: int | None) -> None:
        shown = output.rstrip("\n").splitlines()
        left_out = 0
        if lines is not None and len(shown) > lines:
            left_out = len(shown) - lines
            shown = shown[:lines]
        if left_out:
            shown.append(f"… {left_out} more lines")
        for line in shown:
            self.transcript[-1] += "\n" + f"    {line}".rstrip()
            print(f"  {line}".rstrip())
        print(flush=True)

    def _bold(self, text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if self._colours else text


def pods_in(answers: str) -> list[str]:
    """The Pods that answered, in order: every program of the example says who it is."""
    return re.findall(r"(?:I am|database|known to) (go-demo-2\S*)", answers)

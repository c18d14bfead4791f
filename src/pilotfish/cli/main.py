"""The `pilotfish` command: runs the command line, and turns failures into one line."""

from __future__ import annotations

import os
import sys

_EXIT_FAILED = 1
_EXIT_INTERRUPTED = 130

# What to do after Ctrl-C, for commands that may leave something half done.
_AFTER_INTERRUPT = {
    "up": "run it again to go on, or remove what is there with: pilotfish down --name NAME",
    "down": "run it again to remove the rest",
}


def main() -> int:
    """Run the command line. Returns the exit code; see docs/reference/cli.md."""
    if sys.argv[1:2] != ["up"] or os.geteuid() != 0 or {"-h", "--help"} & set(sys.argv):
        return _run()
    # Most of a start is imports in other processes: let them begin before ours.
    from pilotfish.cluster import supervisor_start

    try:
        supervisor_start.begin()
        return _run()
    finally:
        supervisor_start.abandon_untaken()


def _run() -> int:
    try:
        # Imported late, since a start has begun by now.
        from pilotfish.cli.app import app

        code = int(app(standalone_mode=False) or 0)
    except KeyboardInterrupt:
        code = _EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has seen enough. Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _report(error)
    # The parser turns KeyboardInterrupt into this code, and says nothing.
    if code == _EXIT_INTERRUPTED and (mend := _AFTER_INTERRUPT.get(sys.argv[1])):
        print(f"error: interrupted; pilotfish {sys.argv[1]}; {mend}", file=sys.stderr)
    return code


def _report(error: Exception) -> int:
    from pilotfish.cluster.errors import ClusterError

    if isinstance(error, ClusterError):
        # A server or a packet may have had its say in it.
        from pilotfish.client.visible import escape

        print(escape(f"error: {error.what}; {error.where}; {error.mend}"), file=sys.stderr)
        return error.exit_code
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):
        # A mistake in the command's words, found by the parser.
        context = getattr(error, "ctx", None)
        help_hint = f"{context.command_path} --help" if context else "pilotfish --help"
        print(f"error: {error.format_message().rstrip('.')}; see: {help_hint}", file=sys.stderr)
        return int(error.exit_code)
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile(
        "w", prefix="pilotfish-error-", suffix=".log", delete=False
    ) as report:
        traceback.print_exception(error, file=report)
    print(
        f"error: {type(error).__name__}: {error}; this is a defect of pilotfish; "
        f"please report it with {report.name}",
        file=sys.stderr,
    )
    return _EXIT_FAILED

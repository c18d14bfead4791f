"""What all tests rely on, wherever they are started from."""

from __future__ import annotations

import signal

# A shell that begins us in the background (`make test &`) has interrupts ignored, and children
# inherit that. Some tests end children as Ctrl-C does; a handler is reset for them by execve(2).
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

"""What can be wrong with a history."""

from __future__ import annotations


class HistoryError(Exception):
    """There is no history to be had; the text says where, why, and what to do."""

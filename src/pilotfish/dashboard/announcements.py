"""What the person at the terminal is told of the connection. Pure."""

from __future__ import annotations

from pilotfish.dashboard.feed import State

# A worker that was killed is back before anybody need be told.
AWAY_S = 2.0


class Announcements:
    """Remembers what was told, so that only what is new is told."""

    def __init__(self) -> None:
        self._connected: bool | None = None
        self._was_connected = False
        self._away_s: dict[str, float] = {}
        self._unseen: set[str] = set()

    def news(self, state: State, now_s: float) -> list[str]:
        """Lines that are new. now_s: monotonic time; to be asked now and then."""
        lines = []
        if state.connected and not self._connected:
            lines.append("connected again" if self._was_connected else "connected")
            self._connected = self._was_connected = True
        elif not state.connected and state.problem and self._connected is not False:
            what = "connection to the cluster lost" if self._was_connected else "no cluster yet"
            lines.append(f"{what}: {state.problem}; trying again")
            self._connected = False
        return lines + self._of_nodes(state, now_s)

    def _of_nodes(self, state: State, now_s: float) -> list[str]:
        """Silence must not be taken for absence: a node that is not seen is told of."""
        lines = []
        for name, node in state.nodes.items():
            if node.connected or not state.connected:
                self._away_s.pop(name, None)
                if node.connected and name in self._unseen:
                    self._unseen.discard(name)
                    lines.append(f"{name}: seen again")
            elif now_s - self._away_s.setdefault(name, now_s) > AWAY_S and node.problem:
                if name not in self._unseen:
                    lines.append(f"{name}: not seen, trying again: {node.problem}")
                self._unseen.add(name)
        return lines

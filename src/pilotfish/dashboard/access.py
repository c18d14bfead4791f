"""Who may look: links that work once, cookies, and the token of programs. Pure but for the clock.

A link's token is signed and says when it ends and for which run of the command it is, so that a
second `pilotfish proxy` can make one without asking the first. It is exchanged for a cookie,
which is signed too: a page that is open survives a restart of the command.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from typing import Literal

LINK_S = 3600
COOKIE_S = 30 * 24 * 3600
# Used links are remembered until they end; nobody makes so many.
MAX_USED = 10_000

Redeemed = Literal["good", "used", "expired", "wrong"]


def link_token(key: str, instance: str, now_s: float) -> str:
    """A token for one visit within `LINK_S` to that run of the command."""
    return _signed(key, f"link:{instance}", f"{int(now_s) + LINK_S}.{secrets.token_hex(16)}")


class Access:
    """Decides on what visitors show."""

    def __init__(
        self,
        key: str,
        api_token: str,
        instance: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Make one.

        Args:
            key: signs links and cookies; secret.
            api_token: what programs show; secret.
            instance: names this run of the command.
            now: seconds since 1970.
        """
        self._key = key
        self._api_token = api_token
        self.instance = instance
        self._now = now
        self._used: dict[str, int] = {}

    def link_token(self) -> str:
        """A token for one visit."""
        return link_token(self._key, self.instance, self._now())

    def redeem(self, token: str) -> Redeemed:
        """Use a link's token up: only the first time it is good."""
        content = _content(self._key, f"link:{self.instance}", token)
        if content is None:
            return "wrong"
        end_s = int(content.partition(".")[0])
        if end_s <= self._now():
            return "expired"
        if content in self._used:
            return "used"
        self._used = {used: end for used, end in self._used.items() if end > self._now()}
        if len(self._used) >= MAX_USED:
            return "expired"
        self._used[content] = end_s
        return "good"

    def cookie(self) -> str:
        """A cookie's value, good for `COOKIE_S`."""
        end_s = int(self._now()) + COOKIE_S
        return _signed(self._key, "cookie", f"{end_s}.{secrets.token_hex(16)}")

    def admits_cookie(self, value: str) -> bool:
        """Whether it is a cookie of ours that has not ended."""
        content = _content(self._key, "cookie", value)
        return content is not None and int(content.partition(".")[0]) > self._now()

    def admits_program(self, authorization: str) -> bool:
        """Whether an Authorization header has the token of programs (RFC 6750 section 2.1)."""
        scheme, _, token = authorization.partition(" ")
        return scheme.lower() == "bearer" and _same(token.strip(), self._api_token)


def _signed(key: str, purpose: str, content: str) -> str:
    return f"{content}.{_signature(key, purpose, content)}"


def _content(key: str, purpose: str, text: str) -> str | None:
    """What was signed; None unless it was, for this purpose."""
    content, _, signature = text.rpartition(".")
    return content if _same(signature, _signature(key, purpose, content)) else None


def _signature(key: str, purpose: str, content: str) -> str:
    message = f"{purpose}\n{content}".encode(errors="replace")
    return hmac.new(bytes.fromhex(key), message, "sha256").hexdigest()


def _same(one: str, other: str) -> bool:
    """Whether texts are the same, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="surrogateescape"))

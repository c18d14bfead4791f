"""What who is not answered is told: as a small page for people, as JSON for programs."""

from __future__ import annotations

import html

import orjson
from aiohttp import web

from pilotfish.dashboard.messages import Problem, ProblemAnswer

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">{head}
<title>{what} · Pilotfish</title>
</head>
<body>
<main>
<h1>{what}</h1>
<p>{where}</p>
<p>{mend}</p>
</main>
</body>
</html>
"""


class RefusedError(Exception):
    """A request that is not answered.

    Attributes:
        code: HTTP status.
        problem: what is wrong, where, what to do.
    """

    def __init__(self, code: int, what: str, where: str, mend: str) -> None:
        super().__init__(what)
        self.code = code
        self.problem: Problem = {"what": what, "where": where, "mend": mend}


def answer(error: RefusedError, page: bool) -> web.Response:
    """The answer that says so."""
    if page:
        text = _page(error.problem)
        return web.Response(status=error.code, text=text, content_type="text/html")
    content: ProblemAnswer = {"error": error.problem}
    return web.Response(
        status=error.code, body=orjson.dumps(content), content_type="application/json"
    )


def bounce(target: str) -> web.Response:
    """A page that asks again on its own behalf: then the browser shows our cookie."""
    refresh = f'\n<meta http-equiv="refresh" content="0;url={html.escape(target)}">'
    problem: Problem = {"what": "One moment", "where": "", "mend": ""}
    return web.Response(text=_page(problem, refresh), content_type="text/html")


def _page(problem: Problem, head: str = "") -> str:
    escaped = {key: html.escape(str(text)) for key, text in problem.items()}
    return _PAGE.format(head=head, **escaped)

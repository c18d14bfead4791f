"""`pilotfish mcp`, asked by the protocol's own client library about the story's application."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from support.shell import Shell

Ask = Callable[..., Awaitable[Any]]


@asynccontextmanager
async def assistant(shell: Shell, state: Path) -> AsyncIterator[tuple[ClientSession, Ask]]:
    """A session with the server, and a function that calls a tool of it."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "pilotfish", "mcp"],
        env={**shell.environment, "XDG_STATE_HOME": str(state)},
    )
    async with (
        stdio_client(server) as (reading, writing),
        ClientSession(reading, writing) as session,
    ):
        await session.initialize()

        async def ask(tool: str, **arguments: Any) -> Any:
            answer = await session.call_tool(tool, arguments)
            text = answer.content[0].text
            return text if answer.is_error else json.loads(text)

        yield session, ask


async def until(holds: Callable[[], Awaitable[Any]]) -> Any:
    """What `holds` gives, once it is something."""
    async with asyncio.timeout(30):
        while not (found := await holds()):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    return found


async def test_an_assistant_finds_a_request_its_pod_and_the_whole_of_it(
    application: Shell, tmp_path: Path
) -> None:
    address = f"http://{application.cluster_ip('go-demo-2-api')}:8080"
    async with assistant(application, tmp_path) as (session, ask):
        tools = {tool.name for tool in (await session.list_tools()).tools}
        assert {"list_services", "explain_service", "query_traffic", "get_request"} <= tools

        async def found() -> Any:
            await asyncio.to_thread(application.curl, f"{address}/demo/hello?by=assistant")
            answer = await ask("query_traffic", filter='url.contains("by=assistant")')
            return answer["requests"]

        request = (await until(found))[0]
        assert request["to"].startswith("service default/go-demo-2-api (")
        assert request["chosen"].startswith("pod default/go-demo-2-api-")
        assert request["status"] == "200"
        whole = await ask("get_request", id=request["id"], timestamp=request["timestamp"])
        assert whole["request"]["request"]["headers"]["user-agent"].startswith("curl/")
        explained = await ask("explain_service", name="go-demo-2-api")
        assert sum(each["requests"] for each in explained["service"]["endpoints"]) >= 1
        talk = await ask("who_talks_to_whom", namespace="default")
        assert "service default/go-demo-2-api" in {edge["to"] for edge in talk["edges"]}


WRONG_QUESTIONS: list[tuple[str, dict[str, Any], str]] = [
    ("query_traffic", {"filter": "stauts_code > 1"}, "did you mean status_code?"),
    ("query_traffic", {"since": "yesterday"}, "give a duration, such as 30s"),
    ("explain_service", {"name": "nobody"}, "there is no Service default/nobody; there are:"),
    ("get_request", {"id": "x-1", "timestamp": "2026-01-01T00:00:00.000000Z"}, "is kept"),
    ("get_request", {"id": "x-1", "timestamp": "then"}, "is no time"),
]


async def test_a_question_that_cannot_be_answered_says_why(
    application: Shell, tmp_path: Path
) -> None:
    async with assistant(application, tmp_path) as (_, ask):

        async def connected() -> bool:
            return "warning" not in await ask("list_services")

        await until(connected)
        for tool, arguments, said in WRONG_QUESTIONS:
            assert said in await ask(tool, **arguments)


async def test_without_a_cluster_the_assistant_is_told_so(shell: Shell, tmp_path: Path) -> None:
    nowhere = Shell(tmp_path / "kubeconfig")
    async with assistant(nowhere, tmp_path) as (_, ask):

        async def warned() -> str:
            warning: str = (await ask("list_services"))["warning"]
            return warning if "yet" not in warning else ""

        assert "not connected to the cluster" in await until(warned)

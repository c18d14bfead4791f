"""Redis and PostgreSQL, spoken by their own clients, are seen as tshark sees them."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.captures import Machine


@pytest.fixture(scope="module")
def redis(machine: Machine) -> Machine:
    machine.start("redis-server", "--save", "", "--dir", machine.folder, port=6379)
    return machine


def test_redis_commands_and_pipelines(redis: Machine) -> None:
    with redis.capture("redis") as capture:
        redis.run("redis-cli", "SET", "name", "Viki")
        redis.run("redis-cli", "GET", "name")
        redis.run("redis-cli", "INCR", "name")
        redis.run("redis-cli", "-3", "HSET", "h", "a", "1", "b", "2")
        redis.run("redis-cli", "-3", "HGETALL", "h")
        redis.run("redis-benchmark", "-q", "-n", "500", "-c", "5", "-P", "10", "-t", "set,get")
    exchanges = capture.exchanges()
    assert {each.protocol for each in exchanges} == {"redis"}
    assert {each.failure for each in exchanges} == {""}
    commands = Counter(each.request.fields()["command"] for each in exchanges if each.request)
    assert commands["SET"] == commands["GET"] == 501
    answered = {
        each.request.fields()["command"]: each.response.fields()
        for each in exchanges
        if each.request and each.response
    }
    assert answered["INCR"]["status"] == "ERR"
    assert answered["HGETALL"]["value"] == {"a": "1", "b": "2"}
    # tshark names every array a client sends; a benchmark's are commands.
    arrays = capture.tshark("tcp.dstport == 6379 && resp.array", "resp.array.length")
    assert sum(len(line.split(";")) for line in arrays) == sum(commands.values())


def test_what_redis_publishes(redis: Machine) -> None:
    subscribe = (
        "import socket, time\n"
        "s = socket.create_connection(('127.0.0.1', 6379))\n"
        "s.sendall(b'SUBSCRIBE news\\r\\n'); s.recv(1000)\n"
        "p = socket.create_connection(('127.0.0.1', 6379))\n"
        "p.sendall(b'PUBLISH news hello\\r\\n'); p.recv(1000); s.recv(1000)\n"
    )
    with redis.capture("published") as capture:
        redis.run("python3", "-c", subscribe)
    pushed = [each for each in capture.exchanges() if each.request is None]
    (message,) = [each.response.fields() for each in pushed if each.response]
    assert message["value"] == ["message", "news", "hello"]


@pytest.fixture(scope="module")
def postgresql(machine: Machine) -> Iterator[Machine]:
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    # Its server does not run as root, and must reach its folder.
    folder = Path(tempfile.mkdtemp(prefix="tt1-postgresql-", dir="/tmp"))
    shutil.chown(folder, "postgres", "postgres")
    password = folder / "password"
    password.write_text("hunter2")
    shutil.chown(password, "postgres", "postgres")
    # Not runuser, which stands between a signal and the server.
    as_postgres = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--")
    machine.run(
        *as_postgres, programs / "initdb", "-D", folder / "data", "-A", "scram-sha-256",
        "--pwfile", password, "--no-sync", "--no-instructions",
    )  # fmt: skip
    server = machine.start(
        *as_postgres, programs / "postgres", "-D", folder / "data", "-k", folder, "-F",
        port=5432,
    )  # fmt: skip
    try:
        yield machine
    finally:
        # It writes until it has ended.
        server.send_signal(signal.SIGINT)  # its fast shutdown
        server.wait(60)
        shutil.rmtree(folder)


def psql(machine: Machine, *commands: str) -> str:
    arguments = [argument for command in commands for argument in ("-c", command)]
    url = "host=127.0.0.1 user=postgres dbname=postgres sslmode=disable"
    return machine.run("psql", "-X", "-q", url, *arguments, PGPASSWORD="hunter2")


def test_postgresql_statements(
    postgresql: Machine, values: Callable[[list[str]], list[str]]
) -> None:
    statements = (
        "create table people (id int primary key, name text)",
        "insert into people select n, 'person ' || n from generate_series(1, 50) n",
        "select * from people where id <= 20",
        "copy people to stdout",
    )
    with postgresql.capture("psql") as capture:
        psql(postgresql, *statements)
        with pytest.raises(AssertionError, match="does not exist"):
            psql(postgresql, "select * from nothing")
    exchanges = [each for each in capture.exchanges() if each.protocol == "postgresql"]
    seen = [
        (each.request.fields(), each.response.fields())
        for each in exchanges
        if each.request and each.response
    ]
    assert len(seen) == len(exchanges) == 7
    assert [request["query"] for request, _ in seen[1:5]] == list(statements)
    assert [response["rows"] for _, response in seen[1:5]] == [0, 0, 20, 50]
    assert seen[2][1]["commands"] == ["INSERT 0 50"]
    assert seen[6][1]["error_code"] == "42P01"
    assert seen[0][0]["user"] == "postgres"
    assert values(capture.tshark("pgsql.query", "pgsql.query")) == [
        request["query"] for request, _ in seen if request["query"]
    ]
    assert "hunter2" not in str(seen)


def test_postgresql_prepared_statements(
    postgresql: Machine, values: Callable[[list[str]], list[str]]
) -> None:
    pgbench = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))[-1]
    environment = {"PGPASSWORD": "hunter2", "PGHOST": "127.0.0.1", "PGUSER": "postgres"}
    postgresql.run(pgbench, "-i", "-q", "postgres", **environment)
    with postgresql.capture("pgbench") as capture:
        postgresql.run(pgbench, "-M", "prepared", "-t", "20", "-n", "postgres", **environment)
    exchanges = [each for each in capture.exchanges() if each.protocol == "postgresql"]
    assert {each.failure for each in exchanges} == {""}
    tags = Counter(
        tag for each in exchanges if each.response for tag in each.response.fields()["commands"]
    )
    theirs = Counter(values(capture.tshark("pgsql.tag", "pgsql.tag")))
    assert tags == theirs
    assert tags["UPDATE 1"] == 60
    updates = [
        each.request.fields()
        for each in exchanges
        if each.request and "UPDATE" in str(each.request.fields()["query"])
    ]
    assert len([each for each in updates if "parameters" in each]) == 60


def test_postgresql_may_refuse_a_password(postgresql: Machine) -> None:
    url = "host=127.0.0.1 user=postgres dbname=postgres sslmode=prefer"
    with postgresql.capture("denied") as capture, pytest.raises(AssertionError, match="password"):
        postgresql.run("psql", "-X", url, "-c", "select 1", PGPASSWORD="wrong", HOME=os.devnull)
    exchanges = [each for each in capture.exchanges() if each.protocol == "postgresql"]
    outcomes = [each.response.fields()["status"] for each in exchanges if each.response]
    assert set(outcomes) == {"28P01"}

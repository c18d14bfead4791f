"""A zone with nothing in it but the namespace `default`."""

from __future__ import annotations

import pytest

from pilotfish.dns.compiler import Compiler
from support.zone import DOMAIN


@pytest.fixture
def compiler() -> Compiler:
    compiler = Compiler(DOMAIN, "10.96.0.10", ["10.96.0.0/12", "10.244.0.0/16"])
    compiler.set_namespace("default", present=True)
    compiler.answerer.synced = True
    return compiler

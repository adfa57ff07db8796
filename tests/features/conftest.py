"""A real Valkey or Redis server for tests of stores, and of what stands on them."""

import pytest

from tests.helpers.system_programs import required_program
from tests.helpers.valkey import ValkeyServer

_valkey_server = required_program("valkey-server", "redis-server")


@pytest.fixture(scope="session")
def valkey(tmp_path_factory, request):
    program = request.getfixturevalue("valkey-server")
    with ValkeyServer(program, tmp_path_factory.mktemp("valkey")) as server:
        yield server

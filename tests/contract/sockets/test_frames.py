"""Frames that clients send, good and bad: what Antiphon makes of them over WSGI, and servers beside it."""

from collections.abc import Iterator

import pytest

from tests.contract.process import ServerProcess
from tests.contract.servers import SOCKET_SERVERS
from tests.contract.sockets.frames import BYTES, DEADLINE, FAMILIES, FRAME_GAPS, NO_END, RawClient, frame
from tests.helpers.rows import rows

pytestmark = pytest.mark.processes
APPLICATION = "tests.contract.sockets.application:app"
FRAMED_HERE = "Gunicorn, gthread"


@pytest.fixture(scope="module", params=FRAME_GAPS)
def served(request: pytest.FixtureRequest) -> Iterator[tuple[str, ServerProcess]]:
    server = next(server for server in SOCKET_SERVERS if server.name == request.param)
    with ServerProcess(server.command, APPLICATION) as process:
        yield request.param, process


@rows("family", FAMILIES)
def test_frames(served: tuple[str, ServerProcess], family: str) -> None:
    server, process = served
    wanted = {case.name: FRAME_GAPS[server].get(case.name, case.best) for case in FAMILIES[family]}
    outcomes = {
        case.name: case.outcome(process.port, 1 if NO_END in wanted[case.name] else DEADLINE)
        for case in FAMILIES[family]
    }
    assert outcomes == wanted


def test_message_beyond_the_limit_is_refused_before_it_is_whole(served: tuple[str, ServerProcess]) -> None:
    server, process = served
    if server == FRAMED_HERE:
        with RawClient(process.port) as client:
            client.send(frame(BYTES, bytes((1 << 20) + 1), length=b"\x7f" + (1 << 40).to_bytes(8)))
            assert client.told() == "close 1009"

"""Uvicorn, as a worker serves on it: on a listening socket that it is given, without signal handlers of its own.

Only public names are used. Uvicorn trusts no proxy here, since applications name the proxies that they trust.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import socket
from typing import Any

from uvicorn import Config, Server

from antiphon.adapters.connection import BACKLOG, count_waiting, room_for_connections
from antiphon.adapters.servers.granian import IDLE
from antiphon.lazy import require_names

_SERIES = "0.54"

_LOOK = 0.002
"""The seconds between two checks of the connections that wait to be accepted."""


class _Server(Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process."""
        yield

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Start the application and the server. Who observes the application reports why it does not start."""
        await super().startup(sockets)
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


class WorkerOnUvicorn:
    """A Uvicorn server for one ASGI application, on one thread, as `WorkerOnThread` is one of Granian."""

    def __init__(
        self,
        app: Any,
        listener: socket,
        accepts_all: bool = False,
        tls: tuple[Path, Path] | None = None,
        connections: int = 0,
    ) -> None:
        certificate, key = tls or (None, None)
        require_names("uvicorn", _SERIES, Server, "capture_signals", "startup")
        config = Config(
            app,
            interface="asgi3",
            loop="asyncio" if accepts_all else "auto",  # uvloop accepts one connection between two requests
            log_config=None,  # its records go where all others go
            log_level=logging.CRITICAL,
            access_log=False,
            proxy_headers=False,
            limit_concurrency=(connections or room_for_connections()) + 1,
            backlog=BACKLOG,
            timeout_keep_alive=IDLE,
            ssl_certfile=certificate,
            ssl_keyfile=key,
        )
        self._server = _Server(config)
        self._listener = listener
        self.socket = self

    @property
    def is_taken(self) -> bool:
        """True once connections are accepted."""
        return self._server.started

    def run(self) -> None:
        """Serve on this thread until told to end and open requests have been handled.

        Raises SystemExit if the lifespan of the application fails to start.
        """
        self._server.run([self._listener])

    def end(self) -> None:
        """Tell the server to end. You can call it again, on any thread, and in signal handlers."""
        self._server.should_exit = True

    def stop_accepting(self, within: float) -> None:
        """Leave new connections to other processes, after up to ``within`` seconds to accept those that wait."""
        end = time.monotonic() + within
        with suppress(OSError, RuntimeError):  # the socket or the loop is closed
            while count_waiting(self._listener) and time.monotonic() < end:
                time.sleep(_LOOK)
            for server in self._server.servers if self.is_taken else ():
                server.get_loop().call_soon_threadsafe(server.close)

    def close_unless_taken(self) -> None:
        """Close the listening socket."""
        self._listener.close()

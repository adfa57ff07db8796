"""Serving from within the program: Granian on this process's own loop, on a socket that nobody else listens on."""

import asyncio
import os
import signal
import socket
from contextlib import suppress
from typing import Any

BACKLOG = 1024
DRAIN = 2.0
"""Seconds that open requests get at the end. Streams are cut off after that."""


class EmbeddedServer:
    """A server of one application, bound to its address at once. Raises OSError for one that can't be had."""

    def __init__(self, app: Any, host: str, port: int, ssl: Any = None) -> None:
        if ssl is not None:
            raise NotImplementedError(
                "the Microdot dialect does not serve TLS by an SSLContext:"
                " let `granian --ssl-certificate ... module:app`, or a proxy, do that"
            )
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
        self.port: int = self._listener.getsockname()[1]
        self._app = app
        self._granian: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def serve_forever(self) -> None:
        """Serve until it is closed; open requests get a little longer."""
        self._loop = asyncio.get_running_loop()
        self._granian = granian = _granian(self._app, self._listener)
        try:
            await granian.serve()
        except TimeoutError:  # what is still open after the drain is cut off
            if not granian.interrupt_signal:
                raise
        except asyncio.CancelledError:
            granian.stop()
            raise

    def close(self) -> None:
        """End as soon as the requests that are open now are answered. May be called on any thread."""
        if self._loop is None or self._granian is None:
            self._listener.close()
        else:
            with suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._granian.stop)


def _granian(app: Any, listener: socket.socket) -> Any:
    from granian._granian import SocketHolder
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server.embed import Server

    class OnSocket(Server):
        """Granian in this process, on a socket that is open already."""

        def _init_shared_socket(self) -> None:
            holder: Any = SocketHolder
            self._ssp = self._sso = None
            self._shd = holder(listener.detach(), False, BACKLOG)

    server: Any = OnSocket(
        app,
        interface=Interfaces.ASGI,
        websockets=False,
        backlog=BACKLOG,
        log_level=LogLevels.critical,
        log_dictconfig={"incremental": True, "handlers": {}},
    )
    server.workers_kill_timeout = DRAIN
    return server


def serve(server: EmbeddedServer) -> None:
    """Serve on a loop of its own until the server is closed, or a signal ends it."""

    async def until_signalled() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError, RuntimeError, ValueError):  # Windows, or another thread
                loop.add_signal_handler(number, server.close)
        await server.serve_forever()

    asyncio.run(until_signalled())


def end_process_group() -> None:
    """Ask the process that leads this one's group, which is a server's own, to end."""
    os.kill(os.getpgrp() if hasattr(os, "getpgrp") else os.getpid(), signal.SIGTERM)

"""A server inside the program: Granian on this process's loop, on a socket that no other process listens on."""

import asyncio
import os
import signal
import socket
from asyncio.trsock import TransportSocket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from antiphon.embedding import LoopServer

DRAIN = 2.0
"""The number of seconds that open requests get after the server stops. After that, the loop ends and cuts them off."""


class EmbeddedServer(asyncio.AbstractServer):
    """A server for one application, with the interface of asyncio's servers. It is bound to its address from the start.

    Raises OSError for an address that is in use or is not an address of this machine.
    """

    def __init__(self, app: Any, host: str | None, port: int | str, ssl: Any = None) -> None:
        if ssl:
            raise NotImplementedError(
                "the Microdot dialect does not support TLS with an SSLContext:"
                " use `granian --ssl-certificate ... module:app` or a proxy instead"
            )
        self._listener = _bound(host, port)
        self._address: Any = self._listener.getsockname()
        self.port: int = self._address[1]
        self._app = app
        self._server: LoopServer | None = None
        self._is_awaited = False
        self._ended = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        with suppress(RuntimeError):  # ``run`` creates its loop later
            self._loop = asyncio.get_running_loop()

    @property
    def sockets(self) -> tuple[TransportSocket, ...]:
        """The socket that the server is bound to; empty once it is closed."""
        return () if self._closed else (TransportSocket(self._listener),)

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop or asyncio.get_running_loop()

    def is_serving(self) -> bool:
        """Return True if the server is accepting connections."""
        return self._server is not None and not self._closed

    async def start_serving(self) -> None:
        """Start accepting connections while the loop continues. Raises StartupError."""
        await self._start().wait_started()

    async def serve_forever(self) -> None:
        """Serve until the server is closed, then give open requests a little more time. Cancelling this closes it.

        Raises StartupError.
        """
        if self._is_awaited:
            raise RuntimeError(f"server {self!r} is already being awaited on serve_forever()")
        server = self._start()
        self._is_awaited = True
        try:
            await self._until_ended()
        finally:
            self._is_awaited = False
        server.check()

    async def serve_until_closed(self) -> None:
        """Serve until the server is closed or this call is cancelled. Cancelling it does not raise an error."""
        with suppress(asyncio.CancelledError):
            await self.serve_forever()

    def close(self) -> None:
        """Stop once all open requests are finished. May be called on any thread."""
        self._listener.close()
        with suppress(RuntimeError):  # the loop has already ended
            if self._loop is not None and self._loop.is_running():
                self._loop.call_soon_threadsafe(self._end)
            else:
                self._end()

    def close_clients(self) -> None:
        """Close all connections.

        Data that has already been sent will still arrive. Call ``close`` first. Raises NotImplementedError if the
        system can't list a process's connections.
        """
        self._cut_off(drop_unsent=False)

    def abort_clients(self) -> None:
        """Close all connections and discard unsent data. Call ``close`` first.

        Raises NotImplementedError if the system can't list a process's connections.
        """
        self._cut_off(drop_unsent=True)

    def _cut_off(self, *, drop_unsent: bool) -> None:
        if self._server is not None:
            self._server.cut_off(drop_unsent=drop_unsent)

    async def wait_closed(self) -> None:
        """Wait until the server is closed, and open requests have finished or run out of time."""
        await self._ended.wait()

    @property
    def _closed(self) -> bool:
        return self._listener.fileno() < 0

    async def _until_ended(self) -> None:
        try:
            await self._ended.wait()
        except asyncio.CancelledError:
            self.close()
            await self._ended.wait()
            raise

    def _start(self) -> "LoopServer":
        if self._closed:
            raise RuntimeError(f"server {self!r} is closed")
        if self._server is None:
            from antiphon.embedding import LoopServer  # imported late: other servers don't need it

            self._listen()
            self._loop = asyncio.get_running_loop()
            self._server = LoopServer(self._app, self._listener.dup())
            self._server.on_end(self._on_end)
        return self._server

    def _listen(self) -> None:
        try:
            self._listener.listen(socket.SOMAXCONN)
        except OSError:  # another program was faster
            self.close()
            raise

    def _end(self) -> None:
        if self._server is None:
            self._ended.set()
        elif not self._server.has_ended:
            self._server.stop()
            self.get_loop().call_later(DRAIN, self._ended.set)

    def _on_end(self) -> None:
        self._listener.close()
        self._ended.set()


def _bound(host: str | None, port: int | str) -> socket.socket:
    """Return a socket bound to a host and port but not listening yet, over IPv4 if the host has such an address."""
    if isinstance(port, int) and not 0 <= port <= 65535:
        raise OverflowError(f"a port must be a number from 0 to 65535, not {port}")
    found: list[Any] = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, *_, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    where = f"{address[0]} port {address[1]}"
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        _bind(listener, address)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"{error.strerror}: {where}") from None
    return listener


def _bind(listener: socket.socket, address: Any) -> None:
    if os.name == "posix":  # on Windows, this would allow two programs to share a port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if listener.family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind(address)


def serve(server: EmbeddedServer) -> None:
    """Serve on a new loop until the server is closed or a signal arrives."""

    async def until_signalled() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError, RuntimeError, ValueError):  # on Windows, or on another thread
                loop.add_signal_handler(number, server.close)
        await server.serve_forever()

    from antiphon.embedding import LoopServer  # imported late: other servers don't need it

    asyncio.run(until_signalled())
    LoopServer.let_threads_end()


def end_process_group() -> None:
    """Ask the leader of this process's group, which is a server's main process, to exit."""
    os.kill(os.getpgrp() if hasattr(os, "getpgrp") else os.getpid(), signal.SIGTERM)

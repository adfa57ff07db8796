"""A server within the program: Granian on this process's own loop, on a socket that no other process listens on."""

import asyncio
import os
import signal
import socket
import time
from asyncio.trsock import TransportSocket
from contextlib import suppress
from typing import Any

BACKLOG = 1024
DRAIN = 2.0
"""Seconds to finish open requests at the end. Requests that are open longer are cut off when the loop ends."""

LETTING_GO = 0.05
"""Seconds for Granian's threads to release Python objects. Nothing tells when they have; threads that are later than
the interpreter's end panic.
"""


class EmbeddedServer(asyncio.AbstractServer):
    """A server of one application, with the interface of asyncio's servers. Its address is bound at once.

    Raises OSError for an address that can't be used.
    """

    def __init__(self, app: Any, host: str | None, port: int | str, ssl: Any = None) -> None:
        if ssl:
            raise NotImplementedError(
                "the Microdot dialect does not serve TLS by an SSLContext:"
                " let `granian --ssl-certificate ... module:app`, or a proxy, do that"
            )
        self._listener = _bound(host, port)
        self.port: int = self._listener.getsockname()[1]
        self._app = app
        self._granian: Any = None
        self._serving: asyncio.Task[None] | None = None
        self._awaited = False
        self._ended = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        with suppress(RuntimeError):  # ``run`` has its loop later
            self._loop = asyncio.get_running_loop()

    @property
    def sockets(self) -> tuple[TransportSocket, ...]:
        """The sockets that it listens on, until it is closed."""
        return () if self._closed else (TransportSocket(self._listener),)

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop of the server."""
        return self._loop or asyncio.get_running_loop()

    def is_serving(self) -> bool:
        """Return True if the server accepts connections."""
        return self._serving is not None and not self._closed

    async def start_serving(self) -> None:
        """Accept connections from now on, in the background."""
        self._start()

    async def serve_forever(self) -> None:
        """Serve until the server is closed; open requests get a little longer. Cancelling this closes the server."""
        if self._awaited:
            raise RuntimeError(f"server {self!r} is already being awaited on serve_forever()")
        serving = self._start()
        self._awaited = True
        try:
            await self._until_ended()
        finally:
            self._awaited = False
        if serving.done():
            serving.result()

    async def serve_until_closed(self) -> None:
        """Serve until the server is closed, or this is cancelled, which is not an error."""
        with suppress(asyncio.CancelledError):
            await self.serve_forever()

    def close(self) -> None:
        """Stop as soon as the requests that are open now are answered. May be called on any thread."""
        self._listener.close()
        with suppress(RuntimeError):  # the loop has ended already
            if self._loop is not None and self._loop.is_running():
                self._loop.call_soon_threadsafe(self._end)
            else:
                self._end()

    async def wait_closed(self) -> None:
        """Wait until the server is closed, and open requests are answered or have had their time."""
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

    def _start(self) -> "asyncio.Task[None]":
        if self._closed:
            raise RuntimeError(f"server {self!r} is closed")
        if self._serving is None:
            from antiphon.dialects.microdot.embedded import OnSocket

            self._listen()
            self._loop = asyncio.get_running_loop()
            self._granian = OnSocket(self._app, self._listener.dup(), BACKLOG)
            self._serving = self._loop.create_task(self._granian.serve())
            self._serving.add_done_callback(self._has_ended)
        return self._serving

    def _listen(self) -> None:
        try:
            self._listener.listen(BACKLOG)
        except OSError:  # another program has come first
            self.close()
            raise

    def _end(self) -> None:
        if self._serving is None:
            self._ended.set()
        elif not self._serving.done():
            self._granian.stop()
            self.get_loop().call_later(DRAIN, self._ended.set)

    def _has_ended(self, _: object) -> None:
        self._listener.close()
        self._granian.release()
        self._ended.set()


def _bound(host: str | None, port: int | str) -> socket.socket:
    """Return a socket bound to an address, an IPv4 one if possible, that does not listen yet."""
    if isinstance(port, int) and not 0 <= port <= 65535:
        raise OverflowError(f"a port is one of 0 to 65535, not {port}")
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
    if os.name == "posix":  # elsewhere it would let two programs have one port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if listener.family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind(address)


def serve(server: EmbeddedServer) -> None:
    """Serve on a new loop until the server is closed, or a signal arrives."""

    async def until_signalled() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError, RuntimeError, ValueError):  # Windows, or another thread
                loop.add_signal_handler(number, server.close)
        await server.serve_forever()

    asyncio.run(until_signalled())
    time.sleep(LETTING_GO)


def end_process_group() -> None:
    """Ask the leader of this process's group to end: the main process of a server."""
    os.kill(os.getpgrp() if hasattr(os, "getpgrp") else os.getpid(), signal.SIGTERM)

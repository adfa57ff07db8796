"""Clients that leave while a view waits, on sockets: an ``async def`` view is told, as a handler is."""

import asyncio
import logging
import socket
import threading
import time
from itertools import product

import pytest

from antiphon import view
from tests.frameworks import apps
from tests.frameworks.exchanges import listening
from tests.helpers.rows import rows
from tests.helpers.waiting import DEADLINE

LIMIT = 4


class Told:
    """Views that wait for their client to leave, and the events that they set."""

    def __init__(self):
        self.has_begun, self.is_told, self.after = self.events = [threading.Event() for _ in range(3)]

    def views(self, interface=None):
        async def waits(request):
            request.after_response(self.after.set)
            self.has_begun.set()
            try:
                await asyncio.sleep(LIMIT)
            except asyncio.CancelledError:
                self.is_told.set()
                raise

        async def asks(request):
            request.after_response(self.after.set)
            self.has_begun.set()
            until = time.monotonic() + LIMIT
            try:
                while time.monotonic() < until and not request.lifetime.is_client_gone:
                    await asyncio.sleep(0.02)
            finally:
                if request.lifetime.is_client_gone:
                    self.is_told.set()
            return "late"

        def asks_on_thread(request):
            request.after_response(self.after.set)
            self.has_begun.set()
            until = time.monotonic() + LIMIT
            while time.monotonic() < until and not request.lifetime.is_client_gone:
                time.sleep(0.02)
            if request.lifetime.is_client_gone:
                self.is_told.set()
            return "late"

        functions = waits, asks, asks_on_thread
        return {function.__name__: view(interface=interface)(function) for function in functions}


def requests_to(make):
    """The methods and views of an application; Django tells only the task of an async view."""
    views = ["asks"] if make is apps.django_asgi else ["asks", "asks_on_thread"]
    return [("GET", "waits"), *product(["GET", "POST"], views)]


@pytest.mark.parametrize("make", [*apps.SERVED, *apps.ASGI])
def test_a_view_is_told(make, caplog):
    caplog.set_level(logging.CRITICAL)
    told = Told()

    @rows("method, name", requests_to(make))
    def is_told(method, name):
        for event in told.events:
            event.clear()
        body = "Content-Length: 4\r\nContent-Type: text/plain\r\n\r\nbody" if method == "POST" else "\r\n"
        with socket.create_connection(("127.0.0.1", port), DEADLINE) as client:
            client.sendall(f"{method} /{name} HTTP/1.1\r\nHost: localhost\r\n{body}".encode())
            assert told.has_begun.wait(DEADLINE)
        assert told.is_told.wait(3)
        assert told.after.wait(DEADLINE)

    with listening(make, told.views) as port:
        is_told()

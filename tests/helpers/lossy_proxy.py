"""A proxy before a server, which loses an answer, or a question, when a test says so, as a network does that fails."""

import selectors
import socket
import socketserver
import threading
from contextlib import suppress


class LossyProxy(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """A proxy between two unix sockets. As a context manager it serves, on a thread."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path, target):
        super().__init__(path, _Link)
        self.target = target
        self.url = f"unix://{path}"
        self.lost = 0
        """The number of answers that were lost."""
        self.is_heard = True
        self._next = []

    def lose_next_answer(self, meanwhile=lambda: None, *, after=0, is_heard=True):
        """Close a connection in place of the next answer, ``after`` so many others.

        Before it is closed, ``meanwhile`` is called: the server has acted by then, unless the question is to be lost,
        so that it isn't heard.
        """
        self.is_heard = is_heard
        self._next = [None] * after + [meanwhile]

    def lose_nothing(self):
        self._next = []

    def loses(self):
        """Return True if this answer gets lost."""
        meanwhile = self._next.pop(0) if self._next else None
        if meanwhile is not None:
            meanwhile()
            self.lost += 1
        return meanwhile is not None

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.shutdown()
        self.server_close()


class _Link(socketserver.BaseRequestHandler):
    """One connection of a client, and the one to the server behind it."""

    def handle(self):
        with socket.socket(socket.AF_UNIX) as server, selectors.DefaultSelector() as selector, suppress(OSError):
            server.connect(self.server.target)
            selector.register(self.request, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, self.request)
            while True:
                for key, _ in selector.select():
                    data = key.fileobj.recv(1 << 16)
                    losing = server if self.server.is_heard else self.request
                    if not data or (key.fileobj is losing and self.server.loses()):
                        return
                    key.data.sendall(data)

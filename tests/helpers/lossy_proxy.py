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
        self._commit, self._is_committing = None, False

    def lose_next_answer(self, meanwhile=lambda: None, *, after=0, is_heard=True):
        """Close a connection in place of the next answer, ``after`` so many others.

        Before it is closed, ``meanwhile`` is called: the server has acted by then, unless the question is to be lost,
        so that it isn't heard.
        """
        self.is_heard = is_heard
        self._next = [None] * after + [meanwhile]

    def at_next_commit(self, meanwhile, *, is_heard=True, is_lost=True):
        """Call a function while a commit is on its way, and lose it then: once it is carried out, or before it is."""
        self._commit, self._is_committing = (meanwhile, is_heard, is_lost), False

    def lose_nothing(self):
        self._next, self._commit = [], None

    def loses(self, data, *, is_question):
        """Return True if these bytes get lost."""
        if self._commit is not None:
            meanwhile, is_heard, is_lost = self._commit
            self._is_committing = self._is_committing or (is_question and b"commit" in data.lower())
            if not self._is_committing or is_question == is_heard:
                return False
            self._commit = None
            meanwhile()
            self.lost += is_lost
            return is_lost
        if is_question == self.is_heard:
            return False
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
                    if not data or self.server.loses(data, is_question=key.fileobj is self.request):
                        return
                    key.data.sendall(data)

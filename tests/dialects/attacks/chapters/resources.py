"""Resources: clients that leave, wait or send much hold nothing that others need."""

import os
import socket
import struct
import threading
from contextlib import ExitStack, closing

from tests.dialects.attacks.attack import Attack, Play, get, post
from tests.dialects.attacks.wire import converse
from tests.helpers.waiting import DEADLINE

FORM = post(
    b"/form",
    b"multipart/form-data; boundary=x",
    b'--x\r\nContent-Disposition: form-data; name="a"; filename="f"\r\n\r\n' + bytes(1 << 20) + b"\r\n--x--\r\n",
)
HEAD = b"POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx"


def connected(site, data):
    client = socket.create_connection(site.address, DEADLINE)
    client.sendall(data)
    return client


def is_answered(site):
    """How a page fails that others ask for."""
    answer = converse(site.address, get(b"/hello")).first
    return None if answer and answer.body == b"hello" else f"others get {answer}"


def waiting(data, count=100):
    """A step: so many clients send the beginning of a request, and another is answered meanwhile."""

    def play(site):
        with ExitStack() as stack:
            for _ in range(count):
                stack.enter_context(closing(connected(site, data)))
            return is_answered(site)

    return play


def reset(data, count=20):
    def play(site):
        for _ in range(count):
            client = connected(site, data)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        return is_answered(site)

    return play


def unread(site):
    """Clients that ask for files and read nothing."""
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(
                closing(connected(site, get(b"/static/page.txt".replace(b"/static/", site.static)) * 50))
            )
        return is_answered(site)


def half_closed(site):
    """Clients that say that they send no more are answered, or their connections end."""
    conversation = converse(site.address, post(b"/read", b"text/plain", b"12345"), is_half_closed=True)
    if conversation.is_hanging:
        return "the connection hangs"
    return is_answered(site)


def byte_by_byte(site):
    """A request of which every byte comes by itself."""
    conversation = converse(site.address, *[bytes([byte]) for byte in get(b"/hello")])
    return None if conversation.first and conversation.first.body == b"hello" else f"answered {conversation}"


def pipelined(site):
    """A hundred requests at once are answered, each."""
    conversation = converse(site.address, get(b"/hello", ends=False) * 99 + get(b"/hello"))
    return None if len(conversation.answers) == 100 else f"{len(conversation.answers)} answers of 100"


def uploads(site):
    """Uploads that end in every way leave no threads; the test of the chapter looks for files."""
    before = threading.active_count()
    for data in (FORM, FORM[: len(FORM) // 2], FORM.replace(b"/form", b"/hello"), FORM.replace(b"/form", b"/fail")):
        for _ in range(4):
            converse(site.address, data, is_half_closed=len(data) < len(FORM) - 10, methods=("POST",))
    return None if threading.active_count() < before + 60 else f"{threading.active_count()} threads"


def early_refusal(declared):
    """A step: a body that is too large is refused while its client is still sending it, slowly."""

    def play(site):
        head = b"POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n" + declared + b"\r\n\r\n"
        with closing(connected(site, head + b"5\r\nabcde")) as client:
            received = client.recv(1 << 16)
        return None if received.split(b" ", 2)[1:2] == [b"413"] else f"{received[:100]!r} in place of a 413"

    return play


def fifo(site):
    """A FIFO among the files is not there, and keeps nobody waiting."""
    folder = site.folder / ("src/partials/uploads" if site.dialect == "asok" else "static")
    os.mkfifo(folder / "fifo")
    conversations = [converse(site.address, get(site.static + b"fifo"), patience=3) for _ in range(6)]
    if any(conversation.is_hanging for conversation in conversations):
        with open(os.open(folder / "fifo", os.O_RDWR), "wb"):  # let the threads go
            pass
        return "a FIFO is read"
    statuses = {conversation.first.status for conversation in conversations if conversation.first}
    return is_answered(site) if statuses <= {307, 403, 404, 405} else f"a FIFO is {statuses}"


LOOPS = ("asgi", "rsgi")
CRUMBS = b"".join(b"1\r\n%c\r\n" % byte for byte in b"a=" + b"%41" * 3000)
"""The chunks of a form: each has one byte."""
LIMITED = ("asok", "flask", "microdot")
"""The dialects whose sites limit a body."""
ATTACKS = [
    Play("100 connections without a request", waiting(b"")),
    Play("100 half lines", waiting(b"GET /hel")),
    Play("100 half heads", waiting(b"GET /hello HTTP/1.1\r\nHost: localhost\r\nX-A: ")),
    Play("100 half bodies", waiting(HEAD), interfaces=LOOPS),
    Play(
        "100 half chunks",
        waiting(HEAD.replace(b"Content-Length: 100\r\n\r\nx", b"Transfer-Encoding: chunked\r\n\r\n5\r\nx")),
        interfaces=LOOPS,
    ),
    Play("resets in a head", reset(b"GET /hello HTTP/1.1\r\nHo")),
    Play("resets in a body", reset(HEAD)),
    Play("resets before an answer", reset(get(b"/hello"))),
    Play("resets in a form", reset(FORM[: len(FORM) // 2], 5)),
    Play("answers that are not read", unread),
    Play("half-closed clients", half_closed),
    Play("a request byte by byte", byte_by_byte),
    Play("a hundred requests at once", pipelined),
    Play("uploads that end in every way", uploads),
    Play("a FIFO among the files", fifo),
    Play("a length of 10 GB", early_refusal(b"Content-Length: 10000000000"), LIMITED),
    Attack(
        "a form in chunks of one byte",
        b"POST /form HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" + CRUMBS + b"0\r\n\r\n",
        {200},
        methods=("POST",),
    ),
]

"""Questions to servers about WebSockets, and the possible answers, the best one first."""

import json
import socket as sockets
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple
from uuid import uuid4

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.contract.process import ServerProcess
from tests.contract.sockets.application import LARGE
from tests.contract.wire import SentRequest
from tests.helpers.waiting import DEADLINE, eventually

HANDSHAKE = (
    ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
)  # fmt: skip
"""The fields of a handshake (RFC 6455 §4.1)."""

Ask = Callable[[ServerProcess], str]


class Case(NamedTuple):
    """A question to a server, and the possible answers, the best one first."""

    name: str
    answers: tuple[str, ...]
    ask: Ask

    @property
    def best(self) -> str:
        """The answer of a server that can do it."""
        return self.answers[0]


def opened(server: ServerProcess, path: str, **options: Any) -> ClientConnection:
    """Open a WebSocket, with the fields that ``headers`` has."""
    headers = options.pop("headers", None)
    if protocols := options.pop("offered", ()):
        options["subprotocols"] = [Subprotocol(name) for name in protocols]
    return connect(
        f"ws://127.0.0.1:{server.port}{path}",
        additional_headers=headers,
        open_timeout=DEADLINE,
        close_timeout=2,
        ping_interval=None,
        proxy=None,
        max_size=None,
        **options,
    )


def refused(server: ServerProcess, path: str, **options: Any) -> Any:
    """Return the response that refuses a handshake; None if it is accepted."""
    try:
        with opened(server, path, **options):
            return None
    except InvalidStatus as error:
        return error.response


def status(server: ServerProcess, path: str = "/echo", **options: Any) -> str:
    """Return the status that answers a handshake."""
    response = refused(server, path, **options)
    return "101" if response is None else str(response.status_code)


def end(socket: ClientConnection) -> str:
    """Wait for the end, and return its code and reason."""
    with suppress(ConnectionClosed):
        while True:
            socket.recv(DEADLINE)
    return f"{socket.close_code} {socket.close_reason}".strip()


def events(server: ServerProcess, case: str) -> list[str]:
    """Return what handlers have noted."""
    return json.loads(server.respond(SentRequest("GET", f"/events?case={case}")).body)  # type: ignore[no-any-return]


def noted(server: ServerProcess, case: str, count: int = 1) -> list[str]:
    """Wait until handlers have noted something."""
    return eventually(lambda: found if len(found := events(server, case)) >= count else None, "nothing was noted")


def about(server: ServerProcess, **options: Any) -> dict[str, Any]:
    """Return what a handler knows of its handshake."""
    with opened(server, "/about/7?q=%C3%BC", **options) as socket:
        return json.loads(socket.recv(DEADLINE))  # type: ignore[no-any-return]


def known(server: ServerProcess) -> str:
    """Ask whether the handler knows the request."""
    told = about(server, headers={"X-Name": "value", "Cookie": "a=b", "Origin": f"http://127.0.0.1:{server.port}"})
    wanted = {"number": 7, "query": "\u00fc", "name": "value", "cookie": "b", "method": "GET"}
    assert told["url"] == f"http://127.0.0.1:{server.port}/about/7?q=%C3%BC"
    return "known" if {name: told[name] for name in wanted} == wanted else str(told)


def subprotocol(server: ServerProcess) -> str:
    """Ask whether a subprotocol can be agreed on."""
    with opened(server, "/echo", offered=["x", "v1", "v2"]) as socket:
        return {"v2": "agreed on", None: "none"}[socket.subprotocol]


def no_subprotocol(server: ServerProcess) -> str:
    """Ask what happens where the client offers other subprotocols."""
    with opened(server, "/echo", offered=["x"]) as socket:
        return "none" if socket.subprotocol is None else socket.subprotocol


def fields_of_acceptance(server: ServerProcess) -> str:
    """Ask whether header fields and cookies go out with the handshake."""
    with opened(server, "/echo") as socket:
        assert socket.response is not None
        headers = socket.response.headers
        sent = (headers.get("x-status"), headers.get("set-cookie", "").partition(";")[0])
    return {("101", "seen=yes"): "sent", (None, ""): "dropped"}[sent]


def refusal(server: ServerProcess) -> str:
    """Ask how a handshake is refused by the handler."""
    response = refused(server, "/refuse")
    assert response.status_code == 401
    is_whole = json.loads(response.body or b"{}").get("detail") == "Who is it?"
    is_marked = (response.headers.get("www-authenticate"), response.headers.get("x-status")) == ("Basic", "401")
    return "the response" if is_whole and is_marked else "its status"


def redirect(server: ServerProcess) -> str:
    """Ask whether a handshake can be redirected."""
    response = server.respond(SentRequest("GET", "/redirect", HANDSHAKE))
    return " ".join([str(response.status), *response.values("location")])


def streamed_refusal(server: ServerProcess) -> str:
    """Ask whether a refusal may be streamed."""
    response = refused(server, "/stream")
    return f"{response.status_code} {bytes(response.body or b'').decode()}".strip()


def plain_get(server: ServerProcess) -> str:
    """Ask what a request without a handshake is told."""
    response = server.respond(SentRequest("GET", "/echo"))
    return f"{response.status} {response.values('upgrade')[0]}"


def echoed(path: str, *messages: str | bytes) -> Ask:
    """Return the question whether messages come back as they are."""

    def ask(server: ServerProcess) -> str:
        with opened(server, path) as socket:
            for message in messages:
                socket.send(message)
                assert socket.recv(DEADLINE) == message
        return "yes"

    return ask


def fragmented(server: ServerProcess) -> str:
    """Ask whether the frames of a message are put together (RFC 6455 §5.4)."""
    with opened(server, "/echo") as socket:
        socket.send(["a", "b", "c"])
        return "one message" if socket.recv(DEADLINE) == "abc" else "several"


def in_order(server: ServerProcess) -> str:
    """Ask whether many messages come in order."""
    with opened(server, "/echo") as socket:
        for number in range(500):
            socket.send(str(number))
        return "yes" if [socket.recv(DEADLINE) for _ in range(500)] == [str(n) for n in range(500)] else "no"


def given_up(server: ServerProcess) -> str:
    """Ask whether a message that comes after its handler gave up waiting is there for the next wait."""
    with opened(server, "/impatient") as socket:
        assert [socket.recv(DEADLINE) for _ in range(2)] == ["waited", "waited"]
        for message in ("first", "second"):
            socket.send(message)
        return "kept" if [socket.recv(DEADLINE) for _ in range(2)] == ["first", "second"] else "lost"


def at_once(server: ServerProcess) -> str:
    """Ask whether messages stay whole that several tasks send at once."""
    with opened(server, "/many") as socket:
        messages = [str(message) for message in socket]
    return "whole" if sorted(messages) == [each * 5000 for each in "abcde" for _ in range(20)] else "mixed"


def typed(server: ServerProcess) -> str:
    """Ask what a message of a wrong type is told."""
    with opened(server, "/moves") as socket:
        for sent in ('{"x": "a"}', "{", b"\xff", '{"x": 1}'):
            socket.send(sent)
        answers = [json.loads(socket.recv(DEADLINE)) for _ in range(4)]
    assert [answer.get("status") for answer in answers] == [422, 400, 400, None]
    return "a problem" if answers[3] == {"x": 2} else "closed"


def too_large(server: ServerProcess) -> str:
    """Ask how a message above the limit ends the socket."""
    with opened(server, "/echo") as socket:
        socket.send(b"x" * ((1 << 20) + 1))
        return end(socket)[:4]


def not_utf8(server: ServerProcess) -> str:
    """Ask how text that is not UTF-8 ends the socket (RFC 6455 §8.1)."""
    with opened(server, "/echo") as socket, suppress(ConnectionClosed):
        with socket.send_context():
            socket.protocol.send_text(b"\xff")
        return end(socket)[:4]
    return "1006"


def ended_by_handler(server: ServerProcess) -> str:
    """Ask whether the client gets the code and the reason of the handler."""
    with opened(server, "/close") as socket:
        return end(socket)


def ended_by_return(server: ServerProcess) -> str:
    """Ask how a socket ends whose handler returns."""
    with opened(server, "/return") as socket:
        assert socket.recv(DEADLINE) == "one thing"
        return end(socket)


def ended_by_error(server: ServerProcess) -> str:
    """Ask how a socket ends whose handler fails."""
    with opened(server, "/fail") as socket:
        socket.send("x")
        return end(socket)[:4]


def ended_by_client(server: ServerProcess) -> str:
    """Ask whether the handler gets the code and the reason of the client; dependencies and functions end then."""
    case = uuid4().hex
    with opened(server, f"/listen?case={case}") as socket:
        socket.recv(DEADLINE)
        socket.close(4002, "enough")
    closed, *others = noted(server, case, 3)
    assert sorted(others) == ["after", "committed"]
    return {"closed 4002 enough": "both", "closed 4002 ": "the code"}.get(closed, "neither")


def end_on_thread(server: ServerProcess) -> str:
    """Ask whether the handler on a thread gets the code of the client."""
    case = uuid4().hex
    with opened(server, f"/sync?case={case}") as socket:
        socket.close(4002, "enough")
    return {"closed 4002": "the code"}.get(noted(server, case)[0], "none")


def reset(server: ServerProcess) -> str:
    """Ask whether a handler that listens learns of a connection that breaks."""
    case = uuid4().hex
    with opened(server, f"/listen?case={case}") as socket:
        socket.recv(DEADLINE)
        socket.socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
        socket.socket.close()
        return noted(server, case)[0].strip()


def unheard_end(server: ServerProcess) -> str:
    """Ask whether a handler that does not listen is cancelled when its client leaves."""
    case = uuid4().hex
    with opened(server, f"/push?case={case}") as socket:
        socket.recv(DEADLINE)
    return noted(server, case)[0].partition(" ")[0]


def ping(server: ServerProcess) -> str:
    """Ask whether a ping is answered (RFC 6455 §5.5.2)."""
    with opened(server, "/echo") as socket:
        return "answered" if socket.ping(b"x").wait(DEADLINE) else "not answered"


def compression(server: ServerProcess) -> str:
    """Ask whether messages are compressed where the client offers it (RFC 7692)."""
    with opened(server, "/echo", compression="deflate") as socket:
        return "agreed on" if socket.protocol.extensions else "none"


def stalled(server: ServerProcess) -> str:
    """Ask whether a client that takes nothing stops the sender."""
    case = uuid4().hex
    with sockets.create_connection(("127.0.0.1", server.port)) as raw:
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 64 << 10)
        raw.sendall(SentRequest("GET", f"/flood?case={case}", HANDSHAKE).encoded)
        noted(server, case)
        counts = [-1]

        def look() -> str | None:
            counts.append(int(events(server, case)[0]))
            is_standing = counts[-1] == counts[-4 if len(counts) > 4 else 0]
            return "stops" if is_standing and counts[-1] < 9_999 else "goes on" if counts[-1] == 9_999 else None

        return eventually(look, "the sender neither stops nor ends")


CASES = (
    Case("Request", ("known",), known),
    Case("Subprotocol", ("agreed on", "none"), subprotocol),
    Case("Subprotocol that nobody offers", ("none",), no_subprotocol),
    Case("Fields and cookies of a 101", ("sent", "dropped"), fields_of_acceptance),
    Case("Refusal", ("the response", "its status"), refusal),
    Case("Redirect", ("303 /login", "303"), redirect),
    Case("Streamed refusal", ("403 abc", "403"), streamed_refusal),
    Case("Path without a route", ("404",), lambda server: status(server, "/nothing")),
    Case("Route that is no WebSocket's", ("200",), lambda server: status(server, "/page")),
    Case("GET without a handshake", ("426 websocket",), plain_get),
    Case("Page of another site", ("403",), lambda server: status(server, origin="https://evil.example")),
    Case("Page without an origin", ("403",), lambda server: status(server, origin="null")),
    Case("Page of a sub-domain", ("403",), lambda server: status(server, origin=f"http://x.127.0.0.1:{server.port}")),
    Case("Cookie, but no origin", ("403",), lambda server: status(server, headers={"Cookie": "a=b"})),
    Case("Page of a trusted site", ("101",), lambda server: status(server, origin="https://shop.example.com")),
    Case("Page of this site", ("101",), lambda server: status(server, origin=f"http://127.0.0.1:{server.port}")),
    Case("Text", ("yes",), echoed("/echo", "a", "", "h\u00e9llo \U0001f600", "x" * LARGE)),
    Case("Bytes", ("yes",), echoed("/echo", b"a", b"", bytes(range(256)), b"x" * LARGE)),
    Case("Text and bytes of a `def` handler", ("yes",), echoed("/sync", "a", b"\xff", "", "x" * LARGE)),
    Case("Message in frames", ("one message",), fragmented),
    Case("Order of messages", ("yes",), in_order),
    Case("Messages of several tasks", ("whole",), at_once),
    Case("Message after a wait that was given up", ("kept", "lost"), given_up),
    Case("Message of a wrong type", ("a problem",), typed),
    Case("Message above the limit", ("1009", "1005"), too_large),
    Case("Text that is not UTF-8", ("1007", "1006", "1005"), not_utf8),
    Case("End by the handler", ("4001 full", "1005"), ended_by_handler),
    Case("End with the handler", ("1000", "1005"), ended_by_return),
    Case("End by an error", ("1011", "1005"), ended_by_error),
    Case("End by the client", ("both", "the code", "neither"), ended_by_client),
    Case("End by the client, in a `def` handler", ("the code", "none"), end_on_thread),
    Case("Connection that breaks", ("closed 1006", "closed 1005"), reset),
    Case("Client that leaves unheard", ("cancelled",), unheard_end),
    Case("Ping", ("answered",), ping),
    Case("Compression", ("agreed on", "none"), compression),
    Case("Client that takes nothing", ("stops", "goes on"), stalled),
)  # fmt: skip

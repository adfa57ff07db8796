"""Questions to servers about WebSockets, and the possible answers, the best one first."""

import json
import re
import socket as sockets
import struct
import time
from contextlib import suppress
from select import select
from typing import Any
from uuid import uuid4

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.contract.probes import Ask, Probe
from tests.contract.process import ServerProcess
from tests.contract.sockets.application import LARGE, MESSAGE, MESSAGES
from tests.contract.sockets.frames import HANDSHAKE
from tests.contract.wire import SentRequest
from tests.helpers.waiting import DEADLINE, eventually

STANDING = 20
"""Looks at a sender after which it stands, if it has sent nothing meanwhile."""
HELD_BACK = 24 << 20
"""Bytes of messages that a server and the system may hold for a client that takes none, of 40 MiB that are sent."""


def opened(server: ServerProcess, path: str, **options: Any) -> ClientConnection:
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
    response = refused(server, path, **options)
    return "101" if response is None else str(response.status_code)


def end(socket: ClientConnection) -> str:
    with suppress(ConnectionClosed):
        while True:
            socket.recv(DEADLINE)
    return f"{socket.close_code} {socket.close_reason}".strip()


def events(server: ServerProcess, case: str) -> list[str]:
    return json.loads(server.respond(SentRequest("GET", f"/events?case={case}")).body)  # type: ignore[no-any-return]


def noted(server: ServerProcess, case: str, count: int = 1) -> list[str]:
    return eventually(lambda: found if len(found := events(server, case)) >= count else None, "nothing was noted")


def about(server: ServerProcess, **options: Any) -> dict[str, Any]:
    with opened(server, "/about/7?q=%C3%BC", **options) as socket:
        return json.loads(socket.recv(DEADLINE))  # type: ignore[no-any-return]


def known(server: ServerProcess) -> str:
    told = about(server, headers={"X-Name": "value", "Cookie": "a=b", "Origin": f"http://127.0.0.1:{server.port}"})
    wanted = {"number": 7, "query": "\u00fc", "name": "value", "cookie": "b", "method": "GET"}
    assert told["url"] == f"http://127.0.0.1:{server.port}/about/7?q=%C3%BC"
    return "known" if {name: told[name] for name in wanted} == wanted else str(told)


def subprotocol(server: ServerProcess) -> str:
    with opened(server, "/echo", offered=["x", "v1", "v2"]) as socket:
        return {"v2": "agreed on", None: "none"}[socket.subprotocol]


def no_subprotocol(server: ServerProcess) -> str:
    with opened(server, "/echo", offered=["x"]) as socket:
        return "none" if socket.subprotocol is None else socket.subprotocol


def fields_of_acceptance(server: ServerProcess) -> str:
    with opened(server, "/echo") as socket:
        assert socket.response is not None
        headers = socket.response.headers
        sent = (headers.get("x-status"), headers.get("set-cookie", "").partition(";")[0])
    return {("101", "seen=yes"): "sent", (None, ""): "dropped"}[sent]


def refusal(server: ServerProcess) -> str:
    response = refused(server, "/refuse")
    assert response.status_code == 401
    is_whole = json.loads(response.body or b"{}").get("detail") == "Who is it?"
    is_marked = (response.headers.get("www-authenticate"), response.headers.get("x-status")) == ("Basic", "401")
    return "the response" if is_whole and is_marked else "its status"


def redirect(server: ServerProcess) -> str:
    response = server.respond(SentRequest("GET", "/redirect", HANDSHAKE))
    return " ".join([str(response.status), *response.values("location")])


def streamed_refusal(server: ServerProcess) -> str:
    response = refused(server, "/stream")
    return f"{response.status_code} {bytes(response.body or b'').decode()}".strip()


def lines_of_one_name(server: ServerProcess) -> str:
    response = server.respond(SentRequest("GET", "/page", HANDSHAKE))
    assert server.respond(SentRequest("GET", "/page")).status == 200
    cookies = [line.partition("=")[0] for line in response.values("set-cookie")]
    links = ", ".join(response.values("link"))
    return {2: "both", 1: "one", 0: "none"}[len(cookies)] if links == "</a>, </b>" or not cookies else links


def plain_get(server: ServerProcess) -> str:
    response = server.respond(SentRequest("GET", "/echo"))
    return " ".join([str(response.status), *response.values("upgrade")])


def other_method(server: ServerProcess) -> str:
    """Ask what happens to a handshake by HEAD: one is a GET request (RFC 6455 §4.1)."""
    with server.connect() as connection:
        connection.send(SentRequest("HEAD", "/echo", HANDSHAKE).encoded)
        status = connection.wait_for(b"\r\n").split()[1].decode()
    return {"400": "refused", "405": "refused", "426": "refused"}.get(status, status)


def other_upgrade(server: ServerProcess) -> str:
    fields = (("Upgrade", "websocketx"), *HANDSHAKE[1:])
    return str(server.respond(SentRequest("GET", "/echo", fields)).status)


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
    with opened(server, "/echo") as socket:
        for number in range(500):
            socket.send(str(number))
        return "yes" if [socket.recv(DEADLINE) for _ in range(500)] == [str(n) for n in range(500)] else "no"


def given_up(server: ServerProcess) -> str:
    with opened(server, "/impatient") as socket:
        assert [socket.recv(DEADLINE) for _ in range(2)] == ["waited", "waited"]
        for message in ("first", "second"):
            socket.send(message)
        return "kept" if [socket.recv(DEADLINE) for _ in range(2)] == ["first", "second"] else "lost"


def at_once(server: ServerProcess) -> str:
    with opened(server, "/many") as socket:
        messages = [str(message) for message in socket]
    return "whole" if sorted(messages) == [each * 5000 for each in "abcde" for _ in range(20)] else "mixed"


def typed(server: ServerProcess) -> str:
    with opened(server, "/moves") as socket:
        for sent in ('{"x": "a"}', "{", b"\xff", '{"x": 1}'):
            socket.send(sent)
        answers = [json.loads(socket.recv(DEADLINE)) for _ in range(4)]
    assert [answer.get("status") for answer in answers] == [422, 400, 400, None]
    return "a problem" if answers[3] == {"x": 2} else "closed"


def too_large(server: ServerProcess) -> str:
    with opened(server, "/echo") as socket:
        socket.send(b"x" * ((1 << 20) + 1))
        return end(socket)[:4]


def unending(server: ServerProcess) -> str:
    limits = (("the limit", 1), ("16 MiB", 16), ("64 MiB", 64))  # and a few that are on their way
    after = {size + more for _, size in limits for more in range(16)}
    piece = b"\xff" + (1 << 20).to_bytes(8) + bytes(4 + (1 << 20))
    sent = 0
    with sockets.create_connection(("127.0.0.1", server.port), DEADLINE) as raw, suppress(OSError):
        raw.sendall(SentRequest("GET", "/echo", HANDSHAKE).encoded)
        while raw.recv(1 << 16)[-4:] != b"\r\n\r\n":
            pass
        while sent < 200 and not select([raw], [], [], 0.05 if sent in after else 0)[0]:
            raw.sendall((b"\x00" if sent else b"\x02") + piece)
            sent += 1
    return next((name for name, size in limits if size <= sent < size + 16), f"{sent} MiB")


def not_utf8(server: ServerProcess) -> str:
    """Ask how text that is not UTF-8 ends the socket (RFC 6455 §8.1)."""
    with opened(server, "/echo") as socket, suppress(ConnectionClosed):
        with socket.send_context():
            socket.protocol.send_text(b"\xff")
        return end(socket)[:4]
    return "1006"


def ended_by_handler(server: ServerProcess) -> str:
    with opened(server, "/close") as socket:
        return end(socket)


def ended_by_return(server: ServerProcess) -> str:
    with opened(server, "/return") as socket:
        assert socket.recv(DEADLINE) == "one thing"
        return end(socket)


def ended_by_error(server: ServerProcess) -> str:
    with opened(server, "/fail") as socket:
        socket.send("x")
        return end(socket)[:4]


def ended_by_client(server: ServerProcess) -> str:
    case = uuid4().hex
    with opened(server, f"/listen?case={case}") as socket:
        socket.recv(DEADLINE)
        socket.close(4002, "enough")
    closed, *others = noted(server, case, 3)
    assert sorted(others) == ["after", "committed"]
    return {"closed 4002 enough": "both", "closed 4002 ": "the code"}.get(closed, "neither")


def end_on_thread(server: ServerProcess) -> str:
    case = uuid4().hex
    with opened(server, f"/sync?case={case}") as socket:
        socket.close(4002, "enough")
    return {"closed 4002": "the code"}.get(noted(server, case)[0], "none")


def reset(server: ServerProcess) -> str:
    case = uuid4().hex
    with opened(server, f"/listen?case={case}") as socket:
        socket.recv(DEADLINE)
        socket.socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
        socket.socket.close()
        return noted(server, case)[0].strip()


def unheard_end(server: ServerProcess) -> str:
    case = uuid4().hex
    with opened(server, f"/push?case={case}") as socket:
        socket.recv(DEADLINE)
    return noted(server, case)[0].partition(" ")[0]


def end_behind_messages(server: ServerProcess) -> str:
    ways = [
        (path, *sent)
        for path in ("/push", "/tell", "/tell/def")
        for sent in ((64, b"x"), (2_000, b""), (20, b"x" * 20_000))
    ]
    cases = []
    for path, count, payload in ways:
        cases.append(uuid4().hex)
        with opened(server, f"{path}?case={cases[-1]}") as socket:
            socket.recv(DEADLINE)
            for _ in range(count):
                socket.send(payload)
            socket.socket.shutdown(sockets.SHUT_RDWR)
    return "learned" if all(noted(server, case) for case in cases) else "not learned"


def end_of_a_pouring_handler(server: ServerProcess) -> str:
    case = uuid4().hex
    with sockets.create_connection(("127.0.0.1", server.port), DEADLINE) as raw:
        raw.sendall(SentRequest("GET", f"/pour?case={case}", HANDSHAKE).encoded)
        raw.recv(1)
        time.sleep(0.1)  # in which the sender comes to stand
    return "ends" if noted(server, case) else "goes on"


def ping(server: ServerProcess) -> str:
    """Ask whether a ping is answered (RFC 6455 §5.5.2)."""
    with opened(server, "/echo") as socket:
        return "answered" if socket.ping(b"x").wait(DEADLINE) else "not answered"


def compression(server: ServerProcess) -> str:
    """Ask whether messages are compressed where the client offers it (RFC 7692)."""
    with opened(server, "/echo", compression="deflate") as socket:
        return "agreed on" if socket.protocol.extensions else "none"


def stalled(server: ServerProcess) -> str:
    case = uuid4().hex
    with sockets.create_connection(("127.0.0.1", server.port), DEADLINE) as raw:
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 64 << 10)
        raw.sendall(SentRequest("GET", f"/flood?case={case}", HANDSHAKE).encoded)
        noted(server, case)
        counts: list[int] = []

        def look() -> int | None:
            counts.append(int(events(server, case)[0]))
            is_standing = len(counts) > STANDING and counts[-1] == counts[-STANDING]
            return counts[-1] if is_standing or counts[-1] == MESSAGES else None

        sent = eventually(look, "the sender neither stops nor ends")
        if sent == MESSAGES:
            return "goes on"
        assert sent * MESSAGE < HELD_BACK
        received = 0
        while received < MESSAGES * MESSAGE:
            received += len(raw.recv(1 << 20))
        whole = [str(MESSAGES)]
        return eventually(lambda: "stops" if events(server, case) == whole else None, "the sender does not go on")


def variables(server: ServerProcess) -> str:
    for path in ("/variable", "/variable/def"):
        with opened(server, path) as socket:
            for _ in range(2):
                socket.send("x")
                if socket.recv(DEADLINE) != "of middleware":
                    return "lost"
    return "seen"


def resources(server: ServerProcess) -> str:
    case = uuid4().hex
    with opened(server, f"/fail?case={case}") as socket:
        socket.send("x")
        end(socket)
    return noted(server, case)[0]


def values(server: ServerProcess) -> str:
    with opened(server, "/moves") as socket:
        for sent in ('{"x": 1}', b'{"x": 2}'):
            socket.send(sent)
        answers = [socket.recv(DEADLINE) for _ in range(2)]
    return "text" if answers == ['{"x":2}', '{"x":3}'] else str(answers)


def several_offers(server: ServerProcess) -> str:
    """Ask which subprotocol is agreed on where the client offers two, in two lines (RFC 6455 §11.3.4)."""
    offers = [("Sec-WebSocket-Protocol", name) for name in ("v1", "v2")]
    with server.connect() as connection:
        connection.send(SentRequest("GET", "/echo", (*HANDSHAKE, *offers)).encoded)
        head = connection.wait_for(b"\r\n\r\n").decode().lower()
    assert head.startswith("http/1.1 101 ")
    chosen = re.findall("^sec-websocket-protocol: *(.*?) *\r$", head, re.MULTILINE)
    return " ".join(chosen) or "none"


def in_single_bytes(server: ServerProcess) -> str:
    with opened(server, "/echo") as socket:
        socket.socket.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)
        for byte in b"\x81\x85" + bytes(4) + b"slow!":
            socket.socket.send(bytes([byte]))
        return "received" if socket.recv(DEADLINE) == "slow!" else "not received"


def longest_reason(server: ServerProcess) -> str:
    """Ask whether the longest reason that there may be reaches the client whole (RFC 6455 §5.5)."""
    with opened(server, "/close?reason=" + "%C3%BC" * 61) as socket:
        return {f"4001 {chr(252) * 61}": "whole", "1005": "none"}.get(end(socket), "cut")


CASES: tuple[Probe, ...] = (
    Probe("Request", ("known",), known),
    Probe("Subprotocol", ("agreed on", "none"), subprotocol),
    Probe("Subprotocol that nobody offers", ("none",), no_subprotocol),
    Probe("Fields and cookies of a 101", ("sent", "dropped"), fields_of_acceptance),
    Probe("Refusal", ("the response", "its status"), refusal),
    Probe("Redirect", ("303 /login", "303"), redirect),
    Probe("Streamed refusal", ("403 abc", "403"), streamed_refusal),
    Probe("Path without a route", ("404",), lambda server: status(server, "/nothing")),
    Probe("Route that is no WebSocket's", ("200",), lambda server: status(server, "/page")),
    Probe("Two cookies of a refusal", ("both", "one", "none"), lines_of_one_name),
    Probe("GET without a handshake", ("426 websocket", "426"), plain_get),
    Probe("Handshake by HEAD", ("refused", "101"), other_method),
    Probe("Handshake for another protocol", ("426",), other_upgrade),
    Probe("Page of another site", ("403",), lambda server: status(server, origin="https://evil.example")),
    Probe("Page without an origin", ("403",), lambda server: status(server, origin="null")),
    Probe("Page of a sub-domain", ("403",), lambda server: status(server, origin=f"http://x.127.0.0.1:{server.port}")),
    Probe("Cookie, but no origin", ("403",), lambda server: status(server, headers={"Cookie": "a=b"})),
    Probe("Page of a trusted site", ("101",), lambda server: status(server, origin="https://shop.example.com")),
    Probe("Page of this site", ("101",), lambda server: status(server, origin=f"http://127.0.0.1:{server.port}")),
    Probe("Text", ("yes",), echoed("/echo", "a", "", "h\u00e9llo \U0001f600", "x" * LARGE)),
    Probe("Bytes", ("yes",), echoed("/echo", b"a", b"", bytes(range(256)), b"x" * LARGE)),
    Probe("Text and bytes of a `def` handler", ("yes",), echoed("/sync", "a", b"\xff", "", "x" * LARGE)),
    Probe("Message in frames", ("one message",), fragmented),
    Probe("Order of messages", ("yes",), in_order),
    Probe("Messages of several tasks", ("whole",), at_once),
    Probe("Message after a wait that was given up", ("kept", "lost"), given_up),
    Probe("Message of a wrong type", ("a problem",), typed),
    Probe("Message above the limit", ("1009", "1005"), too_large),
    Probe("Message that never ends", ("the limit", "16 MiB", "64 MiB"), unending),
    Probe("Text that is not UTF-8", ("1007", "1006", "1005"), not_utf8),
    Probe("Closed by the handler", ("4001 full", "1005"), ended_by_handler),
    Probe("Closed when the handler returns", ("1000", "1005"), ended_by_return),
    Probe("Closed by an error", ("1011", "1005"), ended_by_error),
    Probe("Closed by the client", ("both", "the code", "neither"), ended_by_client),
    Probe("Closed by the client, in a `def` handler", ("the code", "none"), end_on_thread),
    Probe("Connection that breaks", ("closed 1006", "closed 1005"), reset),
    Probe("Client that leaves unheard", ("cancelled",), unheard_end),
    Probe("Client that leaves behind messages", ("learned",), end_behind_messages),
    Probe("Client that leaves a handler that never stops sending", ("ends",), end_of_a_pouring_handler),
    Probe("Ping", ("answered",), ping),
    Probe("Compression", ("agreed on", "none"), compression),
    Probe("Client that takes nothing", ("stops", "goes on"), stalled),
    Probe("Context variables of middleware", ("seen",), variables),
    Probe("Dependency of a handler that fails", ("rolled back for LookupError",), resources),
    Probe("Values", ("text",), values),
    Probe("Two subprotocols in two lines", ("v2", "none"), several_offers),
    Probe("Message byte by byte", ("received",), in_single_bytes),
    Probe("Longest reason", ("whole", "none"), longest_reason),
)  # fmt: skip

"""Tests of uploads over sockets, to each server: large, slow, cut off, of a wrong length, and refused."""

import hashlib
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, nullcontext, suppress
from http.client import HTTPConnection

import pytest

from tests.contract.process import ServerProcess
from tests.contract.servers import SERVERS, server
from tests.contract.wire import Closed, SentRequest
from tests.helpers.request_bodies import FORM_DATA, SentPart, form_data, in_chunks
from tests.helpers.rows import rows
from tests.helpers.served.uploads import LIMIT, MIB, TIMEOUT
from tests.helpers.waiting import eventually

pytestmark = [pytest.mark.processes, pytest.mark.once, pytest.mark.usefixtures("server")]

WAYS = ("def", "async", "lazy", "streamed")
"""The handlers, by their way of reading the body."""
FIELDS = (("Content-Type", FORM_DATA),)
BINARY = (("Content-Type", "application/octet-stream"),)
LEAVING = (("Connection", "close"),)

READ_ON_THREADS = {"Granian, WSGI", "Gunicorn, sync", "Gunicorn, gthread", "Gunicorn, gevent", "Waitress"}
"""Servers that read a body on their own threads, so that the application's timeout does not apply."""
READ_FIRST = {"Waitress"}
"""Servers that receive the whole body before they call the application."""


@pytest.fixture(scope="module")
def upload_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module", name="server", params=SERVERS, ids=lambda server: server.name)
def given_server(request):
    return request.param


@pytest.fixture(scope="module")
def process(server, upload_folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UPLOAD_FOLDER", os.fspath(upload_folder))
        with ServerProcess(server.command, "tests.helpers.served.uploads:app") as process:
            yield process


def about(process):
    return json.loads(process.respond(SentRequest("GET", "/about", LEAVING)).body)


def says_hello(process):
    return process.respond(SentRequest("GET", "/hello", LEAVING)).body == b"hello"


def upload(path, body, *, is_chunked=False, fields=FIELDS):
    """Return a request with this body, by its length or in chunks."""
    return SentRequest("POST", path, fields, tuple(in_chunks(body, 50_000)) if is_chunked else body)


FILE = os.urandom(5 * MIB)
FORM = form_data(SentPart("title", None, b"A file"), SentPart("file", "a.bin", FILE), SentPart("count", None, b"1"))
BEYOND = form_data(SentPart("file", "a.bin", bytes(LIMIT)))
each_framing = rows("is_chunked", [False, True], ids=["by length", "in chunks"])
each_way = rows("way", WAYS)


@each_framing
@each_way
def test_a_large_file_arrives_whole(process, way, is_chunked):
    response = process.respond(upload(f"/{way}/form", FORM, is_chunked=is_chunked))
    told = json.loads(response.body)
    assert ["file", "a.bin", len(FILE), hashlib.sha256(FILE).hexdigest()] in told["files"]
    if way != "streamed":
        assert told["fields"] == [["title", "A file"], ["count", "1"]]


@each_framing
@rows("way", ["def", "async"])
def test_a_large_body_that_is_no_form_arrives_whole(process, way, is_chunked):
    response = process.respond(upload(f"/{way}/digest", FILE, is_chunked=is_chunked, fields=BINARY))
    assert response.body.decode() == hashlib.sha256(FILE).hexdigest()


class TestTooLarge:
    @each_framing
    @each_way
    @rows("size", [LIMIT, 3 * MIB])
    def test_is_413_to_a_client_that_listens_when_it_has_sent_all(self, process, way, is_chunked, size):
        form = form_data(SentPart("file", "a.bin", bytes(size)))
        response = process.respond(upload(f"/{way}/limited/form", form, is_chunked=is_chunked))
        problem = json.loads(response.body)
        assert (response.status, response.whole) == (413, True)
        assert (problem["limit"], problem["maximum"]) == ("body", LIMIT)

    @each_way
    def test_is_413_before_the_body_to_a_client_that_waits_to_be_asked_for_it(self, process, server, way):
        sent = upload(f"/{way}/limited/form", BEYOND, fields=(*FIELDS, ("Expect", "100-continue")))
        reads_first = server.name in READ_FIRST
        with process.connect(deadline=1.0 if reads_first else 10.0) as connection:
            connection.send(sent.head)
            if server.gaps.get("`100 Continue`") == "always":
                assert connection.status() == 100
            if reads_first:
                with pytest.raises(TimeoutError):
                    connection.status()
            else:
                assert connection.status() == 413
        assert says_hello(process)

    @pytest.mark.parametrize("server", [server("Granian, ASGI")], ids=lambda server: server.name, indirect=True)
    def test_is_413_in_time_to_a_client_that_neither_goes_on_nor_waits_to_be_asked(self, process):
        sent = upload("/def/limited/form", BEYOND)
        with process.connect() as connection:
            connection.send(sent.head + sent.content[:1000])
            assert connection.receive("POST").status == 413


class TestRefused:
    SIZE = 12 * MIB
    """Bytes of a body larger than the buffers between client and server."""

    @rows("path, status", [("/nowhere", 404), ("/forbidden", 403), ("/refused", 422)])
    @each_framing
    def test_is_answered_to_a_client_that_listens_when_it_has_sent_all(self, process, server, path, status, is_chunked):
        body = [bytes(MIB)] * (self.SIZE // MIB) if is_chunked else bytes(self.SIZE)
        connection = HTTPConnection("127.0.0.1", process.port, timeout=20)
        is_left = path == "/nowhere" and server.name in READ_ON_THREADS  # of which the head is enough
        with closing(connection), suppress(ConnectionError) if is_left else nullcontext():
            connection.request("POST", path, body)  # raises where the server closes before all is sent
            assert connection.getresponse().status == status
        assert says_hello(process)

    @pytest.mark.parametrize(
        "server",
        [server for server in SERVERS if server.name not in READ_FIRST],
        ids=lambda server: server.name,
        indirect=True,
    )
    def test_is_answered_before_the_body_to_a_client_that_waits_to_be_asked_for_it(self, process, server):
        sent = upload("/forbidden", BEYOND, fields=(*BINARY, ("Expect", "100-continue")))
        with process.connect() as connection:
            connection.send(sent.head)
            if server.gaps.get("`100 Continue`") == "always":
                assert connection.status() == 100
            assert connection.status() == 403
        assert says_hello(process)


def test_a_connection_goes_on_or_is_closed_after_a_body_that_nobody_reads(process):
    with process.connect() as connection:
        connection.send(SentRequest("POST", "/unread", (), (bytes(2000),) * 100).encoded)
        with suppress(Closed):
            assert connection.receive("POST").body == b"unread"
            connection.send(SentRequest("GET", "/hello").encoded)
            assert connection.receive().body == b"hello"
    assert says_hello(process)


class TestAClientThatStalls:
    def test_is_told_so_or_the_application_cannot_know(self, process, server):
        requests = [
            upload(f"/{way}/impatient/form", FORM[: 200_000 if is_large else 900], is_chunked=is_chunked)
            for way in WAYS
            for is_large in (False, True)
            for is_chunked in (False, True)
        ]
        with ExitStack() as stack:
            deadline = 2.5 * TIMEOUT if server.name in READ_ON_THREADS else 10.0
            connections = [stack.enter_context(process.connect(deadline)) for _ in requests]
            for connection, request in zip(connections, requests, strict=True):
                connection.send(request.head + request.content[: len(request.content) // 2])
            if server.name in READ_ON_THREADS:
                with pytest.raises(TimeoutError):
                    connections[0].receive("POST")
            else:
                assert says_hello(process)
                answers = [connection.receive("POST") for connection in connections]
                assert {answer.status for answer in answers} == {408}
                assert {json.loads(answer.body)["limit"] for answer in answers} == {"timeout"}
        assert says_hello(process)

    def test_leaves_nothing(self, process, upload_folder):
        check_nothing_is_left(process, upload_folder)


def check_nothing_is_left(process, upload_folder):
    def look():
        return about(process)["uploads"] == 0 or None

    eventually(look, "an upload is still open")
    assert os.listdir(upload_folder) == []


class TestAClientThatGoesAway:
    def break_off(self, process, request, then):
        """Send half of a request, and then do this with the connection."""
        with process.connect() as connection:
            connection.send(request.head + request.content[: len(request.content) // 2])
            then(connection)

    def break_off_each(self, process, leave):
        for way in WAYS:
            for is_chunked in (False, True):
                request = upload(f"/{way}/form", FORM, is_chunked=is_chunked)
                self.break_off(process, request, lambda connection: getattr(connection, leave)())
        assert says_hello(process)

    @rows("leave", ["reset", "close"])
    def test_leaves_nothing(self, process, upload_folder, leave):
        self.break_off_each(process, leave)
        check_nothing_is_left(process, upload_folder)
        before = about(process)["descriptors"]  # with those of a loop, which is kept
        self.break_off_each(process, leave)
        check_nothing_is_left(process, upload_folder)
        eventually(lambda: about(process)["descriptors"] <= before + 1 or None, "descriptors are still open")

    @each_framing
    @each_way
    def test_is_never_taken_to_have_sent_all(self, process, way, is_chunked):
        statuses = []

        def end(connection):
            connection.end_sending()
            try:
                statuses.append(connection.receive("POST").status)
            except Closed:
                statuses.append("closed")

        self.break_off(process, upload(f"/{way}/form", FORM, is_chunked=is_chunked), end)
        assert statuses in ([400], ["closed"])
        assert says_hello(process)

    @each_way
    def test_a_form_that_is_longer_than_it_says_is_cut_there(self, process, way):
        length = (("Content-Length", str(len(FORM) - 20)),)
        head = SentRequest("POST", f"/{way}/form", FIELDS + length).head
        with process.connect() as connection:
            connection.send(head + FORM)
            assert connection.receive("POST").status == 400
        assert says_hello(process)


class TestManyAtOnce:
    CLIENTS = 8
    SIZE = 12 * MIB
    MOST = 48 * MIB
    """The most by which the peak of memory may grow: half of the 96 MiB that are received."""

    def test_arrive_whole_in_little_memory_while_others_are_answered(self, process, upload_folder):
        common = os.urandom(self.SIZE)
        peak = about(process)["peak"]
        begun = threading.Barrier(self.CLIENTS + 1)

        def send(number):
            content = b"%d " % number + common
            request = upload(f"/{('def', 'async')[number % 2]}/form", form_data(SentPart("file", "a", content)))
            begun.wait()
            with process.connect(60.0) as connection:
                connection.send(request.encoded)
                told = json.loads(connection.receive("POST").body)
            return told["files"][0][3] == hashlib.sha256(content).hexdigest()

        with ThreadPoolExecutor(self.CLIENTS) as clients:
            uploads = [clients.submit(send, number) for number in range(self.CLIENTS)]
            begun.wait()
            assert all(says_hello(process) for _ in range(5))
            assert [upload.result() for upload in uploads] == [True] * self.CLIENTS
        assert (about(process)["peak"] - peak) << 10 < self.MOST
        check_nothing_is_left(process, upload_folder)

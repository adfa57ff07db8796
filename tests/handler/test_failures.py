import logging
from traceback import walk_tb

from antiphon import App, Response
from antiphon.features import SQLiteStore, StoreUnavailable
from antiphon.handler import failures
from antiphon.handler.failures import failed
from antiphon.http.errors import ContentTooLarge, HTTPError, NotFound, ServiceUnavailable
from antiphon.request.request import Request
from antiphon.testing import Client
from tests.helpers.rows import rows


class TestAFailure:
    @rows(
        "error, logged",
        (ValueError("boom"), True),
        (ServiceUnavailable("later"), True),
        (NotFound("nothing"), False),
        (ContentTooLarge("much"), False),
        ids=repr,
    )
    def test_is_logged_when_the_programmer_has_to_see_it(self, error, logged, caplog):
        request = Request.blank("/some/path", "PUT")
        response = failed(request, error)
        assert response.error is error
        assert len(caplog.records) == logged
        for record in caplog.records:
            assert record.levelno == logging.ERROR
            assert record.exc_info[1] is error
            assert all(part in record.getMessage() for part in ("PUT", "/some/path", request.id))

    @rows("interface", ["wsgi", "asgi"])
    @rows("around", [False, True], ids=["bare", "inside middleware"])
    def test_is_logged_from_the_first_frame_of_the_application_on(self, interface, around, caplog):
        app = App()

        @app.get("/own")
        def own(request):
            return Response("text", 700)

        @app.get("/awaited")
        async def awaited(request):
            raise ValueError("boom")

        if around:

            @app.middleware
            def passing(request):
                yield

        for path, name in {"/own": "own", "/awaited": "awaited"}.items():
            Client(app, interface=interface, raise_errors=False).get(path)
            frames = [*walk_tb(caplog.records[-1].exc_info[2])]
            assert frames[0][0].f_code.co_name == name
        assert len(frames) == 1

    def test_of_the_library_alone_is_logged_with_all_frames(self, caplog):
        app = App()
        app.get("/")(lambda request: object())
        Client(app, raise_errors=False).get("/")
        assert len([*walk_tb(caplog.records[-1].exc_info[2])]) > 1

    @rows("path", ["/a%0aGET%20/admin", "/a%0d%0ab", "/%1b[31m", "/%00"])
    def test_is_logged_in_one_line_of_what_can_be_printed(self, path, caplog):
        failed(Request.blank(path), ValueError("boom"))
        assert caplog.records[0].getMessage().isprintable()

    @rows(
        "make",
        lambda: HTTPError(400, "x", members={"member": object()}),
        lambda: HTTPError(400, "x", headers={"x-a": "a\nb"}),
        lambda: NotFound(404),
        lambda: NotFound("lone \ud800"),
        ids=["unprintable member", "bad header", "detail that is no text", "lone surrogate"],
    )
    @rows("accept", ["application/json", "text/html"])
    def test_that_cannot_be_told_as_it_is_has_been_refused_or_is_answered_all_the_same(self, make, accept):
        try:
            error = make()
        except (TypeError, ValueError):
            return
        request = Request.blank(headers={"accept": accept})
        response = failed(request, error)
        assert response.status in (400, 404, 500)
        assert request.id.encode() in response.body


class Away(Exception):
    """An error of a driver of PostgreSQL."""

    diag = orig = None

    def __init__(self, sqlstate=None, orig=None):
        super().__init__("gone\naway")
        self.sqlstate, self.orig = sqlstate, orig


OUTAGES = {
    "/store": StoreUnavailable("The store does not respond."), "/abort": ServiceUnavailable("The press is closed."),
    "/away": Away(), "/restarted": Away("57P01"), "/full": Away("53300"), "/wrapped": Away("42000", Away()),
}  # fmt: skip


@rows("path, status", ("/socket", 501), *((path, getattr(error, "status", 500)) for path, error in OUTAGES.items()))
def test_an_outage_is_logged_briefly(caplog, path, status):
    app = App()

    @app.get("/<name>")
    def fails(request, name):
        raise OUTAGES[request.path]

    @app.websocket("/socket")
    async def echo(request, socket): ...

    upgrade = {"upgrade": "websocket", "connection": "upgrade"}
    with caplog.at_level("ERROR"):
        caplog.clear()
        failures._outages.clear()
        statuses = {Client(app, "wsgi").get(path, headers=upgrade).status for _ in range(100)}
    assert statuses == {status}
    assert [bool(record.exc_info) for record in caplog.records][:2] in ([True], [True, False])
    assert len(caplog.records) < 50
    assert all(len(record.getMessage().splitlines()) == 1 for record in caplog.records)


def test_the_outage_of_a_store_is_a_line_a_second_with_a_count(caplog, monkeypatch, tmp_path):
    seconds = [0.0]
    monkeypatch.setattr(failures, "monotonic", lambda: seconds[0])
    (folder := tmp_path / "removed").mkdir()
    app, store = App(), SQLiteStore(folder / "store.db")
    folder.rmdir()
    app.get("/")(lambda request: store.load("key"))
    client = Client(app)
    assert [client.get("/").status for _ in range(200)] == [503] * 200
    assert [bool(record.exc_info) for record in caplog.records] == [False]
    caplog.clear()
    for seconds[0] in (0.9, 1.0, 1.1, 2.0):
        client.get("/")
    assert [message.partition(" (and ")[2] for message in caplog.messages] == ["200 more)", "2 more)"]
    assert all(message.startswith(f"the store {tmp_path}") for message in caplog.messages)

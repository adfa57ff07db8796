"""The clock of the machine, as it goes on while a request is answered, and is set back or forward between two.

The limits of rates have theirs in ``test_rate_limits``, since they count by it.
"""

import time

import pytest

from antiphon import App, Request
from antiphon.features import (
    CSRFTokens,
    Flash,
    IdempotentWrites,
    SessionLogin,
    Sessions,
    Users,
    csrf_token,
    login,
    login_required,
)

pytestmark = [pytest.mark.once, pytest.mark.axes("interface", "kind")]

HOUR = 3600.0
STEPS = [-HOUR, -1.0, 1.0, HOUR]
KEYS = ["k" * 16]

server_side = pytest.mark.parametrize("kind", ["memory", "sqlite"], indirect=True)


@pytest.fixture
def clock(clock, monkeypatch):
    """The clock of everything, also of what has none of its own. Each look at it takes a while."""
    clock.runs = 0.001
    monkeypatch.setattr(time, "time", clock)
    monkeypatch.setattr(time, "time_ns", lambda: int(clock() * 1e9))
    return clock


@pytest.fixture
def visiting(interface, open_client):
    """Make a client of an app, whose cookies go by the clock of its own machine."""
    return lambda app: open_client(app, interface, base_url="https://shop.example.com", follow_redirects=False)


@pytest.fixture
def app(store, clock):
    app = App(secret_keys=KEYS)
    app.use(Sessions(store, idle=24 * HOUR, lifetime=48 * HOUR))
    return app


@pytest.mark.parametrize("step", STEPS)
def test_sessions_last_and_end(app, visiting, clock, step):
    @app.get("/")
    def count(request: Request):
        request.session["count"] = request.session.get("count", 0) + 1
        return str(request.session["count"])

    client = visiting(app)
    seen = [client.get("/").text for _ in range(2)]
    clock.now += step
    seen += [client.get("/").text for _ in range(2)]
    clock.now += 49 * HOUR
    assert [*seen, client.get("/").text] == ["1", "2", "3", "4", "1"]


@pytest.mark.parametrize("step", STEPS)
def test_logins_last(app, visiting, clock, step):
    app.use(Users(SessionLogin(str, key=str), login="log_in"))

    @app.get("/login")
    def log_in(request: Request):
        login(request, "Ada")
        return "Welcome."

    @app.get("/account", before=login_required)
    def account(request: Request):
        return request.user

    client = visiting(app)
    client.get("/login")
    clock.now += step
    assert client.get("/account").text == "Ada"


@pytest.mark.parametrize("step", STEPS)
def test_messages_are_shown_once_and_in_turn(app, visiting, clock, step):
    app.use(Flash())
    app.get("/save/<what>")(lambda request: request.flash(request.path_params["what"]) or "saved")
    app.get("/")(lambda request: [each.message for each in request.flash.take()])
    client = visiting(app)
    client.get("/save/first")
    clock.now += step
    client.get("/save/second")
    assert [client.get("/").json for _ in range(2)] == [["first", "second"], []]


@pytest.mark.parametrize("step", STEPS)
def test_csrf_tokens_count(app, visiting, clock, step):
    app.use(CSRFTokens())
    app.get("/token")(csrf_token)
    app.post("/")(lambda request: "written")
    client = visiting(app)
    token = client.get("/token").text
    clock.now += step
    assert client.post("/", headers={"x-csrf-token": token}).text == "written"


@pytest.mark.parametrize("step", STEPS)
@server_side
def test_writes_happen_once(store, visiting, clock, step):
    app, written = App(), []
    app.use(IdempotentWrites(store, takeover=24 * HOUR))

    @app.post("/", idempotent=True)
    def write(request: Request):
        written.append(1)
        clock.now += step
        if len(written) == 1:
            assert visiting(app).post("/", headers=key).status == 409  # another one comes while this is carried out
        return {"written": len(written)}

    key = {"idempotency-key": '"one"'}
    client = visiting(app)
    answers = [client.post("/", headers=key)]
    clock.now += step
    answers.append(client.post("/", headers=key))
    assert [answer.json for answer in answers] == [{"written": 1}] * 2


@pytest.mark.parametrize("kind", ["memory"], indirect=True)
def test_links_end_and_not_before_they_should(app, visiting, clock):
    app.get("/<name>", name="download", signed_url=True)(lambda request: "a song")
    client = visiting(app)
    link = app.url_for("download", name="song", _expires=600)
    seen = [client.get(link).status]
    for step in (-HOUR, HOUR + 590, 20):
        clock.now += step
        seen.append(client.get(link).status)
    assert seen == [200, 200, 200, 410]

"""What is kept of a visitor between requests: the session, and messages that a page shows once."""

import pytest

from antiphon.dialects.asok import Asok, SessionStore
from antiphon.dialects.asok.session import COOKIE
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "backend")


@pytest.fixture(params=["memory", "file"])
def backend(request):
    return request.param


@pytest.fixture
def pages(serve, interface, backend):
    """Serves pages with sessions of each backend, over each interface."""

    def pages(files, **config):
        return serve(files, interface, lambda app: app.config.update(SESSION_BACKEND=backend, **config))

    return pages


class TestASession:
    def test_is_a_dict_that_is_kept_between_requests(self, pages):
        page = """
def render(request):
    cart = request.session.setdefault("cart", [])
    cart.append(request.args["item"])
    return request.json({"session": dict(request.session), "modified": request.session.modified})
"""
        client = pages({"page.py": page})
        client.get("/?item=tea")
        assert client.get("/?item=milk").json == {"session": {"cart": ["tea", "milk"]}, "modified": True}
        (kept,) = client.cookies
        assert (kept.cookie.name, kept.cookie.httponly, kept.cookie.samesite) == ("asok_sid", True, "Lax")

    def test_has_no_names_but_those_of_the_pages(self, pages):
        page = """
def render(request):
    request.flash("success", "Saved"), request.csrf_token(), request.session.sid
    session = request.session
    for name in ("_user_id", "__sid", "_flash:0"):
        try:
            session[name] = "1"
        except ValueError:
            continue
        return f"{name} can be set"
    return request.json([[*session], len(session), bool(session), "_user_id" in session, session.get("__sid")])
"""
        assert pages({"page.py": page}).get("/").json == [[], 0, False, False, None]

    def test_has_another_id_and_cookie_but_the_same_data_once_it_is_regenerated(self, pages):
        page = """
def render(request):
    request.session["name"] = "Ada"
    before = request.session.sid
    if "new" in request.args:
        request.session_regenerate()
    return request.json([before, request.session.sid, request.session["name"]])
"""
        client = pages({"page.py": page})
        first, _, _ = client.get("/").json
        cookie = client.cookies["asok_sid"]
        assert client.get("/").json == [first, first, "Ada"]
        before, after, name = client.get("/?new").json
        assert (before, name) == (first, "Ada")
        assert after != first
        assert client.cookies["asok_sid"] != cookie
        assert first not in cookie

    def test_that_is_cleared_keeps_only_messages(self, pages):
        page = """
def render(request):
    if "end" in request.args:
        request.flash("info", "Goodbye")
        request.session.clear()
    return request.json([dict(request.session), [*map(str, request.get_flashed_messages())]])
def post(request):
    request.session["name"] = "Ada"
    return "set"
"""
        client = pages({"page.py": page}, CSRF=False)
        client.post("/")
        assert client.get("/").json == [{"name": "Ada"}, []]
        assert client.get("/?end").json == [{}, ["Goodbye"]]
        assert client.get("/").json == [{}, []]

    def test_takes_no_cookie_that_was_not_given_out(self, pages):
        client = pages({"page.py": "def render(request):\n    return request.json(dict(request.session))"})
        for cookie in ("guess", "../../etc/passwd", "a" * 4000, "x.5f3759df"):
            client.cookies.set("asok_sid", cookie)
            assert client.get("/").json == {}


@rows(
    "config, match",
    ({"SESSION_BACKEND": "disk"}, "'memory', 'file' or 'redis', not 'disk'"),
    ({"SESSION_PATH": "../sessions"}, "a folder in the project"),
    ({"SESSION_PATH": "a/../../sessions"}, "a folder in the project"),
    ({"SESSION_PATH": "/tmp"}, "a folder in the project"),
)
def test_settings_that_mean_nothing_are_errors_at_the_start(write, config, match):
    app = Asok(write({"page.py": "CONTENT = 'x'"}))
    app.config.update(config)
    with pytest.raises(ValueError, match=match):
        app.freeze()


def test_the_sessions_of_a_user_are_found_and_ended_by_their_store(tmp_path):
    (tmp_path / "a" / "sessions").mkdir(parents=True, mode=0o755)
    store = SessionStore("file", str(tmp_path / "a" / "sessions"))
    assert (tmp_path / "a" / "sessions").stat().st_mode & 0o777 == 0o700
    for name in ("one", "two"):
        store.native.change(name, {"__sid": f"id of {name}"}, ttl=9.0, owner=f"{COOKIE}\0005")
    store.native.change("bob's", {}, ttl=9.0, owner=f"{COOKIE}\0006")
    assert sorted(each["sid"] for each in store.get_user_sessions(5)) == ["id of one", "id of two"]
    assert not store.revoke_user_session(6, "id of one")
    assert store.revoke_user_session(5, "id of one")
    assert store.revoke_all_user_sessions(5) == 1
    assert store.get_user_sessions(5) == store.get_user_sessions(None) == []
    assert len(store.get_user_sessions("6")) == 1
    store.native.close()


class TestAFlashMessage:
    @pytest.mark.feature("asok-057", "asok-061", "asok-062", "asok-063")
    @rows(
        "arguments, category, message",
        ('"success", "Your message has been sent!"', "success", "Your message has been sent!"),
        ('"anything at all", "Text"', "anything at all", "Text"),
        ('"Saved", "Error"', "error", "Saved"),
        ('"error", "warning"', "error", "warning"),
        ('"Saved"', "info", "Saved"),
        ('"info", 5', "info", "5"),
    )
    def test_has_a_category_and_a_text(self, pages, arguments, category, message):
        page = f"""
def render(request):
    request.flash({arguments})
    (msg,) = request.get_flashed_messages()
    kind, text = msg
    assert [kind, text] == [msg["category"], msg["message"]] == [msg[0], msg[1]] == [msg.get("category"), str(msg)]
    return request.json([msg.category, msg.message])
"""
        assert pages({"page.py": page}).get("/").json == [category, message]

    @pytest.mark.feature("asok-058", "asok-059", "asok-060")
    def test_is_shown_once_by_this_page_or_after_a_redirect_by_the_next(self, pages):
        files = {
            "page.py": """
def render(request):
    shown = [[*each] for each in request.get_flashed_messages()]
    assert shown == [[*each] for each in request.get_flashed_messages()], "a layout may ask twice"
    return request.json(shown)
""",
            "src/pages/send/page.py": """
def render(request):
    request.flash("success", "First")
    request.flash("error", "Second")
    if "here" in request.args:
        return request.json([msg.message for msg in request.get_flashed_messages()])
    request.redirect("/")
""",
        }
        client = pages(files)
        assert client.get("/send").location == "/"
        assert client.get("/").json == [["success", "First"], ["error", "Second"]]
        assert client.get("/").json == []
        assert client.get("/send?here").json == ["First", "Second"]
        assert client.get("/").json == []

    def test_is_not_taken_from_a_cookie_that_somebody_has_made(self, pages):
        client = pages({"page.py": "def render(request):\n    return request.json(request.get_flashed_messages())"})
        client.cookies.set("asok_flash", '[{"category": "info", "message": "Send me your password"}].00ff')
        assert client.get("/").json == []

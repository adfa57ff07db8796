"""The guestbook answers over each interface as its pages promise."""

import json
import re
from pathlib import Path

import pytest

from antiphon.testing import Client, HandshakeRefused
from examples import guestbook
from examples.guestbook import make_app

pytestmark = pytest.mark.axes("interface")

ADA = {"name": "Ada", "password": "an oboe in the rain"}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


@pytest.fixture
def open_client(interface, tmp_path):
    app = make_app(tmp_path)
    return lambda: Client(app, interface, headers={"accept": "text/html"})


@pytest.fixture
def visitor(open_client):
    return open_client()


@pytest.fixture
def ada(open_client):
    client = open_client()
    client.post("/signup", form=ADA)
    return client


def sign(client, words="What a house!", **more):
    return client.post("/", form={"words": words, **more})


def test_everybody_reads_and_only_users_write(visitor):
    page = visitor.get("/")
    assert "Nobody has written yet." in page.text
    assert "<textarea" not in page.text
    assert sign(visitor).url.path == "/login"
    assert visitor.post("/", form={"words": "Hello"}, headers={"accept": "application/json"}).status == 401


def test_a_user_signs_up_and_in_and_writes(ada, visitor, tmp_path):
    page = sign(ada, "The <b>tea</b> was good.")
    assert page.text.count("Thank you for signing!") == 1
    assert "The &lt;b&gt;tea&lt;/b&gt; was good." in page.text
    assert "Thank you for signing!" not in ada.get("/").text
    assert "<textarea" not in ada.post("/logout").text
    assert "Somebody has this name already." in visitor.post("/signup", form={**ADA, "name": "ADA"}).text
    assert "too short" in visitor.post("/signup", form={"name": "Bob", "password": "secret"}).text
    assert "that can be seen" in visitor.post("/signup", form={**ADA, "name": "Ada\u200b"}).text
    wrong = visitor.post("/login?next=/signup", form={"name": "Ada", "password": "a guess"})
    assert (wrong.status, "The name or the password is wrong" in wrong.text) == (422, True)
    assert visitor.post("/login?next=/signup", form=ADA).url.path == "/signup"
    assert "<textarea" in visitor.get("/").text
    assert ADA["password"].encode() not in (tmp_path / "book.db").read_bytes()


def test_passwords_are_not_guessed_for_long(visitor):
    guesses = [visitor.post("/login", form={"name": "Ada"}) for _ in range(11)]
    assert [guess.status for guess in guesses] == [422] * 10 + [429]
    assert "At most 10 in 60 seconds." in guesses[-1].text


def test_a_password_that_nobody_can_have_is_not_hashed(visitor):
    # Unicode is normalized in a time that grows with the square of such marks: half a megabyte of them takes seconds.
    wrong = visitor.post("/login", form={"name": "Ada", "password": "\u0300\u0316" * 101})
    assert (wrong.status, "too long" in wrong.text) == (422, True)


def test_an_author_deletes_what_is_the_author_s_own(ada, open_client, tmp_path):
    ada.post("/", form={"words": "Mine", "caption": "A lamp"}, files={"picture": ("lamp.png", PNG)})
    bob = open_client()
    bob.post("/signup", form={**ADA, "name": "Bob"})
    assert "/entries/1/delete" not in bob.get("/").text
    assert bob.post("/entries/1/delete").status == 404
    assert len([*(tmp_path / "pictures").iterdir()]) == 1
    assert "The entry is gone." in ada.post("/entries/1/delete").text
    assert not [*(tmp_path / "pictures").iterdir()]
    assert ada.post("/entries/9999999999999999999/delete").status == 404


@pytest.mark.parametrize(
    ("name", "content", "more", "text", "status", "said"),
    [
        ("lamp.png", PNG, 0, "A lamp", 200, "Thank you"),
        ("lamp.jpg", b"\xff\xd8\xff\xe0", 0, "A lamp", 200, "Thank you"),
        ("../lamp.gif", b"GIF89a", 0, "A lamp", 200, "Thank you"),
        ("lamp.png", PNG, 0, "", 422, "Please say what the picture shows."),
        ("lamp.png", b"<script>alert(1)</script>", 0, "A lamp", 422, "This is not a picture we can show"),
        ("lamp.html", PNG, 0, "A lamp", 422, "This kind of file is not accepted"),
        ("lamp.png", PNG, 4_000_000, "A lamp", 422, "This file is too large: the limit is 4 MB."),
        ("lamp.png", PNG, 5 << 20, "A lamp", 413, "the limit is 5.2 MB in total."),
    ],
)
def test_a_picture_is_what_it_says_or_the_form_says_why_not(ada, name, content, more, text, status, said):
    page = ada.post("/", form={"words": "Look!", "caption": text}, files={"picture": (name, content + bytes(more))})
    assert page.status == status
    assert said in page.text
    assert ("<img" in page.text) == (status == 200)
    assert ("Look!" in page.text) == (status != 413)


def test_a_picture_is_sent_as_nothing_but_a_picture(ada):
    ada.post("/", form={"words": "Mine", "caption": "A lamp"}, files={"picture": ("lamp.html.png", PNG)})
    (entry,) = ada.get("/", headers={"accept": "application/json"}).json
    picture = ada.get(f"/pictures/{entry['picture']}")
    assert (picture.body, picture.content_type) == (PNG, "image/png")
    assert picture.headers["x-content-type-options"] == "nosniff"
    for other in ("..%2Fbook.db", "lamp.png", "book.db"):
        assert ada.get(f"/pictures/{other}").status == 404


def test_one_handler_gives_the_page_its_blocks_and_json(ada):
    for number in range(12):
        sign(ada, f"Visit number {number}.")
    page = ada.get("/")
    assert page.text.startswith("<!doctype html>")
    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    main = ada.get("/", headers={"x-block": "main"}).text
    assert main.lstrip().startswith('<div class="book">')
    assert main in page.text
    entries = ada.get("/?before=3", headers={"x-block": "entries"}).text
    assert [f">Visit number {number}.</p>" in entries for number in range(3)] == [True, True, False]
    listed = ada.get("/?before=3", headers={"accept": "application/json"}).json
    assert [(each["id"], each["author"], each["words"]) for each in listed] == [
        (2, "Ada", "Visit number 1."),
        (1, "Ada", "Visit number 0."),
    ]
    assert 'href="/?before=3"' in page.text
    assert ada.get("/?before=99999999999999999999").status == 422
    wrong = ada.post("/", form={"words": ""}, headers={"accept": "application/json"})
    assert (wrong.status, wrong.json["words"][0]["code"]) == (422, "missing")


def test_what_was_written_since_the_last_entry_comes_by_a_socket(ada, visitor, interface):
    for number in range(12):
        sign(ada, f"Visit <{number}>.")
    ada.post("/entries/12/delete")
    assert 'data-live="/live" data-last="12"' in visitor.get("/").text
    if interface == "wsgi":
        with pytest.raises(HandshakeRefused, match="501"), visitor.websocket("/live?last=0"):
            pass
        return
    with visitor.websocket("/live?last=0") as reader, ada.websocket("/live?last=10") as author:
        entries = [reader.receive_as(dict) for _ in range(11)]
        assert [entry["id"] for entry in entries] == [*range(1, 12)]
        assert '<p dir="auto">Visit &lt;0&gt;.</p>' in entries[0]["html"]
        sign(ada, "Last")
        assert [author.receive_as(dict)["id"], author.receive_as(dict)["id"], reader.receive_as(dict)["id"]] == [
            11, 13, 13,
        ]  # fmt: skip
    assert "/entries/1/delete" not in entries[0]["html"]
    for path, origin, status in [("/live?last=x", "", 422), ("/live?last=0", "https://evil.example", 403)]:
        with pytest.raises(HandshakeRefused, match=str(status)), visitor.websocket(path, origin=origin):
            pass


def arabic(client, path="/"):
    return client.get(f"{path}?lang=ar")


def test_it_speaks_two_languages_and_remembers_which(ada, visitor):
    sign(ada)
    page = arabic(visitor)
    assert '<html lang="ar" dir="rtl">' in page.text
    assert '<a href="/?lang=en" lang="en" hreflang="en">English</a>' in page.text
    assert (page.headers["content-language"], page.headers["set-cookie"].partition(";")[0]) == ("ar", "lang=ar")
    assert '<p dir="auto">What a house!</p>' in page.text
    assert re.search(r"<time [^>]*>\d+ [\u0600-\u06ff]+ \d{4}</time>", page.text)
    assert "تسجيل الدخول" in visitor.get("/login").text
    assert '<a href="/?before=2&amp;lang=ar" lang="ar"' in visitor.get("/?before=2&lang=en").text
    assert '<html lang="en" dir="ltr">' in visitor.get("/").text
    assert '<html lang="ar" dir="rtl">' in visitor.get("/login", headers={"accept-language": "ar", "cookie": ""}).text


def test_it_says_in_the_visitor_s_language_what_is_wrong_and_what_was_done(visitor, tmp_path):
    arabic(visitor)
    short = visitor.post("/signup", form={"name": "A", "password": "secret"}).text
    assert "هذا قصير جدًا: يجب ألا يقل عن حرفين." in short
    assert "هذا قصير جدًا: يجب ألا يقل عن 10 أحرف." in short
    assert "أهلًا بك يا Ada!" in visitor.post("/signup", form=ADA).text
    assert "شكرًا على كلمتك!" in sign(visitor).text
    wrong = visitor.post(
        "/", form={"words": "", "caption": "x" * 201}, files={"picture": ("lamp.png", PNG + bytes(5_000_000))}
    )
    for text in ("يُرجى ملء هذا الحقل.", "201 حرف", "يجب ألا يزيد حجمه على 4 MB."):
        assert text.replace("201", "200") in wrong.text
    lost = visitor.post("/entries/7/delete")
    assert (lost.status, "لا يوجد شيء هنا." in lost.text) == (404, True)
    assert "حُذفت كلمتك." in visitor.post("/entries/1/delete").text
    assert "إلى اللقاء" in visitor.post("/logout").text


def test_each_text_is_in_the_catalogue():
    folder = Path(guestbook.__file__).parent
    catalogue = json.loads((folder / "locales/ar.json").read_text("utf-8"))
    sources = [*folder.glob("*.py"), *(folder / "templates").glob("*.html")]
    named = [key for path in sources for key in re.findall(r'(?:\b__|\blazy_gettext)\(\s*"([^"]+)"', path.read_text())]
    assert set(named) - catalogue.keys() == set()
    assert {key for key in catalogue if key not in named} == {
        "form", "error", next(key for key in catalogue if "<a" in key),
    }  # fmt: skip

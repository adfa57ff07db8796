"""The guestbook in a browser: open to everybody, on each screen, by day and by night, with scripts and without."""

from pathlib import Path

import pytest

from tests.contract.process import ServerProcess
from tests.helpers.accessibility import look_at
from tests.helpers.processes import RUN

pytestmark = pytest.mark.processes

SCREENS = [(360, 740, "light"), (360, 740, "dark"), (768, 1024, "dark"), (1280, 900, "light")]
OUTLINE = "() => getComputedStyle(document.activeElement).outlineStyle"
PASSWORD = "an oboe in the rain"
GIF = b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path.cwd()))
        patch.chdir(tmp_path_factory.mktemp("data"))
        with ServerProcess(RUN, "examples.site:make_site") as process:
            yield f"http://127.0.0.1:{process.port}/guestbook/"


def send(page, wanted, **fields):
    """Fill in the form of a page, send it as a user does, and wait for what is wanted."""
    for name, text in fields.items():
        page.run("selector => { document.querySelector(selector).value = '' }", f"main [name={name}]")
        page.click(f"main [name={name}]")
        page.enter(text)
    page.click("main form [type=submit]")
    see(page, wanted)


def see(page, wanted):
    """Wait for text, and for the form's own response: the entry may arrive over the WebSocket before it."""
    is_loading = "document.querySelector('[data-loading]')"
    page.wait_until(f"() => document.body.innerText.includes({wanted!r}) && !{is_loading}")


@pytest.mark.parametrize(
    ("lang", "direction", "welcome", "thanks", "mistake"),
    [
        ("en", "ltr", "Welcome, Ada", "Thank you for signing!", "This is not a picture we can show"),
        ("ar", "rtl", "أهلًا بك يا Ada", "شكرًا على كلمتك!", "هذه ليست صورة من نوع نعرفه"),
    ],
    ids=["English", "Arabic"],
)
def test_every_page_is_open_to_everybody(page, site, tmp_path, lang, direction, welcome, thanks, mistake):
    for path in (f"?lang={lang}", "login", "signup", "nowhere"):
        page.go(site + path)
        assert page.run("() => getComputedStyle(document.body).direction") == direction
        look_at(page, path, SCREENS)
    page.go(f"{site}signup")
    send(page, welcome, name=f"Ada {lang} {LONG[:30]}", password=PASSWORD)
    look_at(page, "welcome", SCREENS)
    page.press("Tab")
    assert page.run(OUTLINE) == "solid"
    picture = tmp_path / "lamp.gif"
    picture.write_bytes(GIF)
    page.choose("[type=file]", picture)
    send(page, thanks, words=f"{LONG} is a word.", caption="A lamp")
    page.wait_until("() => document.querySelector('article img').naturalWidth === 1")
    look_at(page, "an entry", SCREENS)
    picture.write_text("No picture.")
    page.choose("[type=file]", picture)
    send(page, mistake, words="Look!")
    look_at(page, "a mistake", SCREENS)


def test_the_language_is_switched_without_scripts_and_the_page_is_kept(page, site):
    page.without_scripts()
    page.go(f"{site}login?next=/guestbook/signup")
    page.click("header [hreflang=ar]")
    see(page, "تسجيل الدخول")
    assert (page.url, page.title) == (f"{site}login?next=/guestbook/signup&lang=ar", "تسجيل الدخول · سجل الزوار")
    page.click("main a")
    see(page, "لديك حساب؟")
    page.click("header [hreflang=en]")
    see(page, "Here before?")
    page.click(".brand")
    see(page, "Leave a note")


def test_the_tour_leads_to_it(page, site):
    page.go(site.removesuffix("guestbook/"))
    page.click("a[href='guestbook/']")
    see(page, "Leave a note")
    assert page.url == site


def test_it_is_signed_without_scripts(page, site, tmp_path):
    page.without_scripts()
    page.go(f"{site}signup")
    send(page, "Welcome, Bob", name="Bob", password=PASSWORD)
    large = tmp_path / "large.png"
    large.write_bytes(bytes(6 << 20))
    page.choose("[type=file]", large)
    send(page, "the limit is 5.2 MB in total", words="Look!")
    assert page.status == 413
    send(page, "Thank you for signing!", words="No script was needed.")


def test_with_scripts_no_page_is_loaded_as_a_whole(page, site, tmp_path):
    page.go(f"{site}signup")
    send(page, "Welcome, Cleo", name="Cleo", password=PASSWORD)
    page.run("() => { window.isThisDocument = true }")
    picture = tmp_path / "lamp.gif"
    picture.write_bytes(GIF)
    page.choose("[type=file]", picture)
    send(page, "Please say what the picture shows.", words="Look!")
    assert page.run("() => document.activeElement.className") == "errors"
    send(page, "Thank you for signing!", caption="A lamp")
    for number in range(11):
        send(page, f"Word {number}.", words=f"Word {number}.")
    page.click("a[data-block=entries]")
    page.wait_until("() => location.search.startsWith('?before=') && document.body.innerText.includes('Word 0.')")
    page.run("() => history.back()")
    page.wait_until("() => location.search === '' && document.body.innerText.includes('Word 10.')")
    page.click("article button")
    see(page, "The entry is gone.")
    assert "Word 10." not in page.text
    assert page.run("() => window.isThisDocument")

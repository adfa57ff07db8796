"""The guestbook, as the README's picture shows it."""

import pytest

from scripts.guestbook_picture import IMAGES, take, take_project

pytestmark = pytest.mark.processes

WORDS = ["The lamp by the stairs is my favourite.", "ليلى", "يا له من بيت جميل!"]
SEEN = {
    "en": ("ltr", ["Log out", "Leave a note", "Sign the guestbook", "Ada", WORDS[0], "Delete", *WORDS[1:]]),
    "ar": ("rtl", ["تسجيل الخروج", "اترك كلمة", "وقّع في السجل", "Ada", WORDS[0], "حذف", *WORDS[1:]]),
}
"""The direction of the page in each language, and texts in order."""


def test_the_guestbook_looks_as_its_picture(page, tmp_path):
    looked = []

    def look(lang):
        direction, texts = SEEN[lang]
        seen = page.run("() => document.body.innerText")
        assert page.run("() => getComputedStyle(document.body).direction") == direction
        assert [text for text in texts if text not in seen] == []
        assert page.run("() => document.querySelector('article img').naturalWidth") == 640
        looked.append(lang)

    take(page, tmp_path, look)
    assert looked == list(SEEN)


def test_a_new_project_looks_as_its_picture(page, tmp_path):
    looked = []
    take_project(
        page, tmp_path, lambda part: looked.append((part, page.run("() => document.querySelector('h1').innerText")))
    )
    assert looked == [("list", "Tasks"), ("form", "Change a task")]


@pytest.mark.parametrize("name", ["guestbook", "new-project"])
def test_the_picture_is_a_small_png(name):
    picture = (IMAGES / f"{name}.png").read_bytes()
    assert (picture[:4], len(picture) < 100_000) == (b"\x89PNG", True)

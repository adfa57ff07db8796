"""The tutorial's app in a browser, as each page shows it: in what is said there, and open to everybody."""

import pytest

from scripts.tutorial_pictures import STORIES, picture, take
from tests.helpers.accessibility import look_at

pytestmark = pytest.mark.processes

SEEN = {
    "2-pages": ("Guestbook", ["What people say", "Ada", "What a house!", "Bob", "The tea was good."]),
    "3-forms": (
        "Error: Guestbook",
        ["Please check what you entered:", "This is too short: it must have 2 characters."],
    ),
    "5-users": ("Guestbook", ["Log out", "Thank you for signing!", "The tea was good.", "Delete", "What a house!"]),
    "6-pictures": ("Guestbook", ["Thank you for signing!", "My lamp", "Delete"]),
    "7-languages": ("Gästebuch", ["Bitte prüfen:", "Bitte sag, was auf dem Bild zu sehen ist.", "Löschen"]),
}
"""The title of each page, which a part of a page leaves as it is, and texts in order."""


@pytest.mark.parametrize("name", STORIES)
def test_the_app_looks_as_its_picture(page, tmp_path, name):
    title, texts = SEEN[name]

    def look():
        assert page.title == title
        seen = page.text
        assert [text for text in texts if text not in seen] == []
        assert sorted(texts, key=seen.index) == texts
        assert page.run("() => window.isThisDocument === true") == (name == "6-pictures")
        look_at(page, name, [(360, 800, "light"), (1280, 800, "dark")])

    take(name, page, tmp_path, look)


@pytest.mark.parametrize("name", STORIES)
def test_a_picture_is_a_small_png(name):
    assert picture(name).read_bytes().startswith(b"\x89PNG")
    assert picture(name).stat().st_size < 60_000

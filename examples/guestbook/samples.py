"""Sample entries for a book without users, to show how it is meant to look."""

from datetime import UTC, datetime, timedelta

from examples.guestbook.book import Book
from examples.guestbook.passwords import NOBODYS

SAMPLES = [
    ("Emeka", 9, "We came for one night and stayed for four. The view from the attic is worth every stair."),
    ("نور", 6, "يا له من بيت جميل! شكرًا على الشاي."),
    ("Mateo", 4, "The tea was good, the piano is in tune, and the cat is in charge."),
    ("Ingrid", 2, "What a garden!\nWe picked plums until it was dark, and made far too much jam."),
    ("Yuki", 1, "The lamp by the stairs is my favourite."),
]
"""Author, days ago, words. These authors have no password to log in with."""


def add_samples(book: Book) -> None:
    """Add the samples once. A book that was emptied stays empty, and only one process adds them."""
    with book.open() as database:
        database.execute("begin immediate")  # workers start at the same time, and the first one writes
        if database.execute("select count(*) from users").fetchone() == (0,):
            for author, days, words in SAMPLES:
                written = (datetime.now(UTC) - timedelta(days=days)).isoformat()
                database.execute("insert into users values (null, ?, ?)", [author, NOBODYS])
                row = [author, words, written]
                query = "insert into entries select null, id, ?2, ?3, null, '' from users where name = ?1"
                database.execute(query, row)
        database.execute("commit")

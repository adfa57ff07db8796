"""The tour, and the guestbook below it, as `make run` serves them: `antiphon run --debug examples.site:make_site`."""

from pathlib import Path
from threading import Thread

from antiphon import App
from examples.guestbook import make_app
from examples.guestbook.book import Book
from examples.guestbook.samples import add_samples
from examples.tour import app
from examples.tour.ways import app_of

FOLDER = Path("var/guestbook")


def make_site(folder: Path = FOLDER) -> App:
    add_samples(Book(folder.absolute()))
    app.mount("/guestbook", make_app(folder))
    app.on_startup(lambda: Thread(target=app_of, args=("form",), daemon=True).start())  # dialects take a second
    return app

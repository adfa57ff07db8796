"""The tour, and the guestbook below it, as `make run` serves them: `antiphon run examples.site:make_site`."""

from antiphon import App
from examples.guestbook import make_app
from examples.tour import app


def make_site() -> App:
    app.mount("/guestbook", make_app())
    return app

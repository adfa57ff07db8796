"""A guestbook, as a small site with logins and pictures: `antiphon run examples.guestbook:make_app`."""

from examples.guestbook.app import make_app

__all__ = ["make_app"]

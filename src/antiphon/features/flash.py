"""Flash messages, as a feature of an app: ``request.flash("It is saved.")`` is shown once, by the next page.

app.use(Flash())
"""

import time
from collections import UserString
from secrets import token_hex

from antiphon import App, Request, Session, explained
from antiphon.embedding import OfRequest, check_numbers, errors_name_it
from antiphon.features import FlashMessage
from antiphon.features.html import Markup
from antiphon.types import FlashMessages as Messages

_PREFIX = "_flash:"
"""The prefix of messages' names in the session. Each message has a separate name, so that none is lost if two are
queued at once.
"""

_DIGITS = slice(len(_PREFIX), len(_PREFIX) + 13)
"""The digits in a message's name: microseconds since 1970."""

_CATEGORIES = ("alert", "danger", "error", "info", "message", "notice", "status", "success", "warning")
"""Words that other frameworks expect before the message, whose first letter would be a capital in a message."""

MOST_IN_COOKIE = 1500
"""The maximum size of messages in a session cookie, in bytes. A cookie has room for 4000 bytes after encoding."""


@errors_name_it
class Flash:
    """A feature that provides ``request.flash``: messages for a visitor, kept in the session until a page shows them.

        app.use(Flash())

    Templates show the messages that ``get_flashed_messages()`` returns. If no page shows them, only the newest ``most``
    are kept, or fewer if the session is kept in a cookie that can't hold them all. Raises ValueError unless ``most`` is
    above 0.
    """

    def __init__(self, *, most: int = 50) -> None:
        check_numbers(most=most)
        self._most = most

    def install(self, app: App) -> None:
        """Provide ``request.flash``, and share ``get_flashed_messages`` with templates. Raises RuntimeError if there
        are no sessions.
        """
        if not app.is_provided(Request.session):
            raise explained(
                "missing-feature",
                "Flash keeps messages in the session: app.use(Sessions(store)), before app.use(Flash())",
                RuntimeError,
            )
        app.provide(Request.flash, lambda request: FlashMessages(request, self._most))
        app.template_context(get_flashed_messages=lambda request: request.flash.take)


class FlashMessages(OfRequest, Messages):
    """The messages in a session."""

    __slots__ = ("_most",)

    def __init__(self, request: Request, most: int) -> None:
        super().__init__(request)
        self._most = most

    def __call__(self, message: object, category: str = "message") -> None:
        kept = _kept(message, category)
        session = self._open_session()
        if not session.is_server_side and _size(kept) > MOST_IN_COOKIE:
            raise explained(
                "too-much-for-a-cookie",
                f"a flash message of {_size(kept)} bytes does not fit in a cookie, which is where this session is"
                f" kept: shorten it to {MOST_IN_COOKIE}, or use Sessions with a store on the server, such as"
                " SQLiteStore",
            )
        names = _names(session)
        now = time.time_ns() // 1000
        moment = max(now, int(names[-1][_DIGITS], 16) + 1) if names else now
        name = f"{_PREFIX}{moment:013x}{token_hex(4)}"
        session[name] = kept
        for excess in self._excess(session, [*names, name]):
            del session[excess]

    def _excess(self, session: Session, names: list[str]) -> list[str]:
        """Return the names of the oldest messages beyond the limit."""
        count = self._most
        if not session.is_server_side:
            size = 0
            for index, name in enumerate(reversed(names)):
                size += _size(session[name])
                if size > MOST_IN_COOKIE:
                    count = min(count, index)
                    break
        return names[:-count]

    def take(self, *categories: str) -> list[FlashMessage]:
        session = self._open_session()
        found = [(name, _message(session[name])) for name in _names(session)]
        taken = [(name, each) for name, each in found if not categories or each.category in categories]
        if self._request.method != "HEAD":  # nobody sees the page
            for name, _ in taken:
                del session[name]
        return [each for _, each in taken]

    def _open_session(self) -> Session:
        session = self._request.session
        if session.is_over:
            raise explained(
                "session-is-over",
                "flash messages are kept in the session, which was saved when the response was made, so they"
                " can't be queued or taken in a stream or in request.after_response. Take them in the handler,"
                " before the stream, with messages = request.flash.take(), and show those",
                RuntimeError,
            )
        return session


def _kept(message: object, category: str) -> list[str]:
    """Return a message in the form that a session stores. Raises TypeError for anything but text."""
    if not isinstance(category, str):
        raise explained("bad-flash-message", f"a flash message's category must be text, not {category!r}", TypeError)
    if " " in category and isinstance(message, str) and message in _CATEGORIES:
        error = f"the message comes first, and then its category: request.flash({category!r}, {message!r})"
        raise explained("bad-flash-message", ValueError(error))
    if html := getattr(message, "__html__", None):
        return [category, str(html()), "html"]
    if not isinstance(message, str | UserString):
        raise explained(
            "bad-flash-message",
            f"a flash message must be text, or markup with __html__, not {message!r}: str(...) makes text",
            TypeError,
        )
    return [category, str(message)]


def _message(kept: list[str]) -> FlashMessage:
    category, text, *kind = kept
    return FlashMessage(category, Markup(text) if kind else text)


def _names(session: Session) -> list[str]:
    """Return the names of a session's messages, oldest first."""
    return sorted([name for name in session if name.startswith(_PREFIX)])


def _size(kept: list[str]) -> int:
    return _DIGITS.stop + 8 + sum(len(part.encode("utf-8", "surrogatepass")) + 4 for part in kept)

"""The application: what it uses, and where it keeps its data."""

from pathlib import Path

from antiphon import App, HTTPError, Request
from antiphon.features import (
    BlockScript,
    Channel,
    ContentSecurityPolicy,
    Flash,
    Languages,
    Page,
    SecurityHeaders,
    SessionLogin,
    Sessions,
    SQLiteStore,
    Templates,
    Users,
)
from examples.guestbook.accounts import accounts
from examples.guestbook.book import BOOK, Book
from examples.guestbook.entries import entries
from examples.guestbook.live import NEWS, live


def make_app(folder: Path = Path("var/guestbook")) -> App:
    book = Book(folder.absolute())
    app = App(store=SQLiteStore(book.folder / "store.db"))
    app.use(SecurityHeaders(content_security_policy=ContentSecurityPolicy(default_src=["'self'"])))
    app.use(Languages("locales", default="en"))
    app.use(Templates("templates"))
    app.use(BlockScript())
    app.use(Sessions())
    app.use(Flash())
    app.use(Users(SessionLogin(book.user), login="accounts.log_in"))
    news = Channel("news", max_messages=10)
    app.use(news)
    app.provide(BOOK, lambda request: book)
    app.provide(NEWS, lambda request: news)
    app.static("/static", Path(__file__).parent / "static")
    app.register(accounts)
    app.register(entries)
    app.register(live)
    app.before_request(remember_language)
    app.errorhandler(HTTPError)(show_error)
    return app


def remember_language(request: Request):
    if "lang" in request.args:
        request.language.remember()


def show_error(request: Request, error: HTTPError):
    if request.accept.best(["application/problem+json", "text/html"]) != "text/html":
        raise error
    language, key = request.language, f"error.{error.status}"
    known = language.has(key)  # languages other than English have a text for each status
    return Page("error.html", text=language.gettext(key) if known else error.detail or error.title)

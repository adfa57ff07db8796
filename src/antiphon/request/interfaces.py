"""The interfaces of features that a request exposes: sessions, flashed messages, languages, locations and
signatures.
"""

from abc import ABC, abstractmethod
from collections import UserString
from collections.abc import MutableMapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeVar

from antiphon.explanations import explained
from antiphon.explanations.naming import WORDS, NamesOurs
from antiphon.http.errors import HTTPError
from antiphon.http.head import HeadHeaders, RequestHead
from antiphon.http.headers import Headers
from antiphon.http.multidict import MissingKey
from antiphon.request.dependencies import Dependency, OfRequest

if TYPE_CHECKING:
    from antiphon.request.request import Request

T = TypeVar("T")


class Session(MutableMapping[str, Any], metaclass=NamesOurs, words=WORDS["Session"], settings=WORDS["Session"]):
    """The data of a visitor, kept between requests: a mapping of names to values, read and written like a dict.

    Changes, including those inside lists and dicts, are stored once the response has been made; changing the session
    later raises RuntimeError. Concurrent requests don't overwrite each other, unless the data is in a cookie: changes
    of different names are kept, as are those inside one list or dict.
    """

    __slots__ = ()

    is_over: bool = False
    """True once the response has been made and the changes have been stored. Changing the session then raises
    RuntimeError.
    """
    is_server_side: bool = True
    """False if the data is stored in the visitor's cookie, which holds about 3000 bytes."""

    @property
    @abstractmethod
    def is_new(self) -> bool:
        """True if the visitor had no valid session."""

    @property
    @abstractmethod
    def created(self) -> float | None:
        """The time when the session began, in seconds since 1970; None if it is new. Rotating doesn't change it."""

    def peek(self, name: str) -> Any:
        """Return a value, or None if it is missing or the store is unavailable, without leaving a trace in the
        response. This is for features that load data in advance. If the response depends on the value, read it in the
        usual way instead.
        """
        return self.get(name)

    @abstractmethod
    def rotate(self, owner: str | None = None, *, end_others: bool = False) -> None:
        """Give the session a new key and invalidate the old one. Do this at each login and each change of permissions.

        The data is kept, except for names that begin with two underscores: these are secrets bound to the old key.
        ``owner`` sets the session's owner, such as a user's id, by which all of a user's sessions can be found.
        ``end_others`` ends all other sessions of the owner when the response is made, for example after a password
        change. Raises ValueError if the session has no owner, and NotImplementedError if the store can't end an owner's
        sessions.
        """

    @abstractmethod
    def clear(self, *, everywhere: bool = False) -> None:
        """End the session: delete its data and the visitor's cookie. Setting a value afterwards begins a new session.

        ``everywhere`` ends all sessions of its owner when the response is made. Raises NotImplementedError if the store
        can't do that.
        """


class HasHTML(Protocol):
    """Markup: an object that is already HTML."""

    def __html__(self) -> str: ...


class FlashMessage(NamedTuple):
    """A message for a visitor. Its ``category`` is any text, such as "error"; ``message`` is text.

    Its ``str()`` is the text. Templates insert a message that was passed as markup unchanged, and escape all others.
    """

    category: str
    message: str

    def __str__(self) -> str:
        return str(self.message)

    def __html__(self) -> str:
        """Return the message as HTML: escaped, unless it was passed as markup."""
        from html import escape

        html = getattr(self.message, "__html__", None)
        return escape(str(self.message)) if html is None else str(html())


class FlashMessages(metaclass=NamesOurs, words=WORDS["FlashMessages"]):
    """The messages for a visitor that no page has shown yet: ``request.flash("It is saved.")`` queues one."""

    __slots__ = ()

    @abstractmethod
    def __call__(self, message: str | UserString | HasHTML, category: str = "message") -> None:
        """Queue a message, text or markup, for this response or the visitor's next one. A ``UserString`` is treated as
        text.

        Raises TypeError for any other object, and RuntimeError in a stream, which is sent after the messages were
        stored.
        """

    @abstractmethod
    def take(self, *categories: str) -> list[FlashMessage]:
        """Return the messages in order and remove them, so that each is shown once. Pass categories to take only their
        messages.

        Raises RuntimeError in a stream: take them before it begins.
        """


class Language(ABC):
    """The language of one request, with its translations: ``request.language.gettext("welcome", name="Ann")``.

    Text is looked up by its key in this language, then in its fallbacks ("de" for "de-AT"), then in the default
    language. If no language has it, the key itself is used. ``{name}`` in text is replaced with the value of that name.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def tag(self) -> str:
        """The tag (RFC 5646), such as "de-AT". Set it to choose another language of the application.

        Raises ValueError if the application has neither this language nor a fallback for it.
        """

    @tag.setter
    @abstractmethod
    def tag(self, tag: str) -> None: ...

    @property
    @abstractmethod
    def dir(self) -> Literal["ltr", "rtl"]:
        """The direction in which the language is written, as a value of HTML's ``dir`` attribute."""

    @abstractmethod
    def remember(self) -> None:
        """Make the visitor's browser remember the language by setting a cookie in the response.

        Raises RuntimeError if the application doesn't use such a cookie.
        """

    @abstractmethod
    def has(self, key: str) -> bool:
        """True if this language or one of its fallbacks has text for a key."""

    @abstractmethod
    def find(self, key: str, *, n: float | None = None, context: str | None = None) -> str | None:
        """Return the text for a key with its placeholders unfilled, or None if no language has it.

        If the text has plural forms, ``n`` selects one.
        """

    @abstractmethod
    def gettext(self, key: str, /, **values: object) -> str:
        """Return the text for a key. If it has plural forms, the value ``n`` selects one."""

    @abstractmethod
    def ngettext(self, singular: str, plural: str, n: float, /, **values: object) -> str:
        """Return the plural form for the number ``n``, which also replaces ``{n}``. ``singular`` is the key."""

    @abstractmethod
    def pgettext(self, context: str, key: str, /, **values: object) -> str:
        """Return the text that a key has in a context, such as "menu"."""

    @abstractmethod
    def npgettext(self, context: str, singular: str, plural: str, n: float, /, **values: object) -> str:
        """Return the plural form for the number ``n`` that a key has in a context."""

    def localized(self, error: HTTPError) -> HTTPError:
        """Return an error as clients get it in this language: by default, the error itself."""
        return error


def language_of(request: "Request") -> Language | None:
    """Return the language of a request, or None if the application has no languages."""
    return _value_of(request, type(request).language)


def _value_of(request: "Request", dependency: Dependency[T]) -> T | None:
    is_there = dependency in request or (request.app is not None and request.app.is_provided(dependency))
    return request[dependency] if is_there else None


class TemplateRenderer(Protocol):
    """The templates of an application, rendered for one request."""

    def render(self, template: str, /, *, _block: str | None = None, **data: Any) -> str:
        """Render a template, or one of its blocks, and return the text. Raises the template's errors.

        Names in ``data`` must not begin with an underscore; such names are reserved for options.
        """
        ...

    def content_type(self, template: str, /) -> str:
        """Return the media type of a template's output, based on its name."""
        ...


class FrameworkValues(ABC):
    """Another framework's user, session and CSRF token, in a view of that framework: ``request.framework.user``.

    The framework provides the values as usual, with its own middleware and settings.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def request(self) -> Any:
        """The framework's own request. Raises RuntimeError once the request has ended and been freed."""

    def request_as(self, kind: type[T]) -> T:
        """Return the framework's own request, typed as this class: ``request_as(HttpRequest)``.

        Raises TypeError for a request of a different class.
        """
        given = self.request
        if not isinstance(given, kind):
            found = f"{type(given).__module__}.{type(given).__qualname__}"
            raise explained("unknown-request", f"the native request must be a {found}, not {kind!r}", TypeError)
        return given

    @property
    @abstractmethod
    def user(self) -> Any:
        """The framework's own user. None if nobody is logged in, if the framework has no users, or if nothing provides
        one.

        A user object whose ``is_authenticated`` is false, such as Django's ``AnonymousUser``, is read as None.
        """

    @property
    def _user_id(self) -> object:
        """A value that distinguishes the user from others; None for the user's own ``pk`` or ``id``."""
        return None

    @property
    def _login_fields(self) -> tuple[str, ...]:
        """The header fields that the user was found by, as in ``Identity.replaces``."""
        return ()

    def user_as(self, kind: type[T]) -> T | None:
        """Return the framework's own user if it is an instance of this class, otherwise None: ``user_as(User)``."""
        user = self.user
        return user if isinstance(user, kind) else None

    @property
    @abstractmethod
    def session(self) -> MutableMapping[str, Any] | None:
        """The framework's own session. None if the framework has no sessions, or if nothing provides one."""

    @property
    @abstractmethod
    def csrf_token(self) -> str | None:
        """The token that the framework expects in forms. None if the framework has no such tokens or doesn't check
        them.
        """

    @property
    @abstractmethod
    def csrf_field(self) -> str | None:
        """The name of the form field for ``csrf_token``, such as "csrfmiddlewaretoken". None if there is no token."""


CSRF_FIELD = "csrf_token"
"""The name of the form field for an application's own token."""


class AppValues(OfRequest, FrameworkValues):
    """An application's own request and its visitor."""

    __slots__ = ()

    @property
    def request(self) -> "Request":
        """The request."""
        return self._request

    @property
    def user(self) -> Any:
        """The user of ``Users``."""
        return _value_of(self._request, type(self._request).user)

    @property
    def session(self) -> Session | None:
        """The session of ``Sessions``."""
        return _value_of(self._request, type(self._request).session)

    @property
    def csrf_token(self) -> str | None:
        """The token of ``CSRFTokens``."""
        return self._request.shared.get(CSRF_FIELD)

    @property
    def csrf_field(self) -> str | None:
        """The name of the field that ``CSRFTokens`` reads."""
        return CSRF_FIELD if CSRF_FIELD in self._request.shared else None


class SignedHeaders(HeadHeaders):
    """The header fields that a signature covers. ``[]`` raises KeyError for any other field."""

    __slots__ = ()

    def __init__(self, lines: list[tuple[str, str]]) -> None:
        super().__init__(RequestHead.of(RequestHead(), lines))

    def _absent(self, name: str) -> MissingKey:
        return MissingKey(name, f"no header {name!r} is signed")


_NO_HEADERS = SignedHeaders([])


class RequestSignature(NamedTuple):
    """The signature for which a request was accepted (RFC 9421). It is falsy for a request without a signature, which
    only ``Signatures(..., required=False)`` accepts. Provisional.
    """

    key: str = ""
    """The id of the key, ``keyid``, by which ``Signatures`` found it."""
    algorithm: str = ""
    """The name of the key's algorithm, such as "ed25519" (RFC 9421 §6.2.2)."""
    created: datetime | None = None
    """The time at which the signature was made, in UTC; None if it doesn't include one."""
    expires: datetime | None = None
    """The time until which the signature is valid, in UTC; None if it doesn't include one."""
    nonce: str | None = None
    """The text that makes the signature unique; None if it doesn't include one."""
    tag: str | None = None
    """The purpose of the signature, such as "web-bot-auth"; None if it doesn't include one."""
    label: str = ""
    """The name of the signature in this request."""
    components: tuple[str, ...] = ()
    """The components that the signature covers, in the notation of RFC 9421: ``'"@method"'``."""
    headers: Headers = _NO_HEADERS
    """The header fields that the signature covers completely."""

    def covering(self, lines: list[tuple[str, str]]) -> "RequestSignature":
        """Return this signature with the header fields that it covers, whose names are in lower case."""
        return self._replace(headers=SignedHeaders(lines))

    def __bool__(self) -> bool:
        return bool(self.label)

"""The interface of languages: the language of a response, and the texts in it."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from antiphon.request.request import Request


class Language(ABC):
    """The language of one request, with its texts: ``request.language.gettext("welcome", name="Ann")``.

    A text is looked up by its key in this language, then in those that the tag falls back to ("de" for "de-AT"),
    then in the default language; one that is missing is the key itself. ``{name}`` in a text stands for the value of
    that name.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def tag(self) -> str:
        """The tag (RFC 5646), such as "de-AT". If you set it, it is looked up among the languages of the application.

        Raises ValueError if the application has neither this language nor one that the tag falls back to.
        """

    @tag.setter
    @abstractmethod
    def tag(self, tag: str) -> None: ...

    @property
    @abstractmethod
    def dir(self) -> Literal["ltr", "rtl"]:
        """The direction in which the language is written, as a value of HTML's attribute ``dir``."""

    @abstractmethod
    def remember(self) -> None:
        """Make the visitor's browser remember the language, with a cookie in the response.

        Raises RuntimeError if the application keeps no such cookie.
        """

    @abstractmethod
    def has(self, key: str) -> bool:
        """True if there is a text under a key, in this language or in one that it falls back to."""

    @abstractmethod
    def find(self, key: str, *, n: float | None = None, context: str | None = None) -> str | None:
        """Return the text of a key as it is written, with its placeholders; None if there is none in any language.

        If it has plural forms, the result is the one for ``n``.
        """

    @abstractmethod
    def gettext(self, key: str, /, **values: object) -> str:
        """Return the text of a key. If it has plural forms, the value ``n`` chooses one."""

    @abstractmethod
    def ngettext(self, singular: str, plural: str, n: float, /, **values: object) -> str:
        """Return the plural form for a number, which is the value ``n``, too. ``singular`` is the key."""

    @abstractmethod
    def pgettext(self, context: str, key: str, /, **values: object) -> str:
        """Return the text that a key has in a context, such as "menu"."""

    @abstractmethod
    def npgettext(self, context: str, singular: str, plural: str, n: float, /, **values: object) -> str:
        """Return the plural form that a key has in a context for a number."""


def language_of(request: "Request") -> Language | None:
    """Return the language of a request; None where the application has no languages."""
    dependency = type(request).language
    is_there = dependency in request or (request.app is not None and request.app.provides(dependency))
    return request[dependency] if is_there else None

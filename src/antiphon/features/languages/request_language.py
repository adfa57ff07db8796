"""The language of one request, chosen when it is first read."""

from copy import copy
from typing import TYPE_CHECKING, Literal

from antiphon.explanations import explained
from antiphon.features.languages.tags import direction
from antiphon.features.languages.texts import Texts
from antiphon.http.errors import HTTPError
from antiphon.request.dependencies import OfRequest
from antiphon.request.language import Language
from antiphon.request.request import Request
from antiphon.response.response import Response

if TYPE_CHECKING:
    from antiphon.features.languages.feature import Languages

_YEAR = 365 * 24 * 3600


class RequestLanguage(OfRequest, Language):
    """The language of one request. Its first use decides which header fields the response depends on."""

    __slots__ = ("_chosen", "_languages")

    def __init__(self, request: Request, languages: "Languages") -> None:
        super().__init__(request)
        self._languages = languages
        self._chosen: Texts | None = None

    @property
    def _texts(self) -> Texts:
        if self._chosen is None:
            self._choose(self._asked() or self._languages.default)
        return self._chosen  # type: ignore[return-value]  # it has been chosen

    def _choose(self, tag: str) -> None:
        self._chosen = self._languages.texts(tag)

    @property
    def is_chosen(self) -> bool:
        """True if the language has been read or set."""
        return self._chosen is not None

    def _asked(self) -> str | None:
        """Return the language that the request asks for, or None if the application does not have it."""
        languages = self._languages
        if len(languages.tags) == 1:
            return None
        return self._in_query() or self._in_cookie() or self._request.accept_languages.best(languages.tags)

    def _in_query(self) -> str | None:
        name = self._languages.query
        if name is None or not self._request.query_string:
            return None
        try:
            given = self._request.args.get(name)
        except HTTPError:  # the query is too long, and the response that says so has a language, too
            return None
        return None if given is None else self._languages.match(given)

    def _in_cookie(self) -> str | None:
        name = self._languages.cookie
        if name is None:
            return None
        self._request.consulted += ("cookie",)
        given = self._request.cookies.get(name)
        return None if given is None else self._languages.match(given)

    @property
    def tag(self) -> str:
        return self._texts.tag

    @tag.setter
    def tag(self, tag: str) -> None:
        if not isinstance(tag, str):
            raise explained("unknown-language", TypeError(f"set a language by its tag, such as 'de', not {tag!r:.80}"))
        self._choose(tag)
        if Request.shared in self._request:
            self._request.shared.forget("lang", "dir")

    @property
    def dir(self) -> Literal["ltr", "rtl"]:
        return direction(self.tag)

    def remember(self) -> None:
        if self._languages.cookie is None:
            raise explained(
                "bad-feature-option", RuntimeError("no cookie stores the language: Languages(..., cookie='lang')")
            )
        self._request.after_request(self._set_cookie)

    def _set_cookie(self, request: Request, response: Response) -> Response:
        response = copy(response)
        name = self._languages.cookie or ""
        response.set_cookie(name, self.tag, max_age=_YEAR, secure=request.is_secure, httponly=True, samesite="Lax")
        return response

    def has(self, key: str) -> bool:
        return self._texts.has(key)

    def find(self, key: str, *, n: float | None = None, context: str | None = None) -> str | None:
        return self._texts.find(key, n=n, context=context)

    def gettext(self, key: str, /, **values: object) -> str:
        return self._texts.gettext(key, **values)

    def ngettext(self, singular: str, plural: str, n: float, /, **values: object) -> str:
        return self._texts.ngettext(singular, plural, n, **values)

    def pgettext(self, context: str, key: str, /, **values: object) -> str:
        return self._texts.pgettext(context, key, **values)

    def npgettext(self, context: str, singular: str, plural: str, n: float, /, **values: object) -> str:
        return self._texts.npgettext(context, singular, plural, n, **values)

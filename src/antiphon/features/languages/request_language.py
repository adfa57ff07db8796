"""The language of one request, chosen when it is first read, and language tags (RFC 5646, RFC 4647 §3.4)."""

import re
from copy import copy
from typing import TYPE_CHECKING, Literal

from antiphon.explanations import explained
from antiphon.features.languages.texts import Texts
from antiphon.http.errors import HTTPError
from antiphon.request.dependencies import OfRequest
from antiphon.request.interfaces import Language
from antiphon.request.request import Request
from antiphon.response.response import Response

if TYPE_CHECKING:
    from antiphon.features.languages.feature import Languages


_is_tag = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{1,8}){0,7}", re.ASCII).fullmatch

_RTL_SCRIPTS = frozenset(
    {"Adlm", "Arab", "Aran", "Hebr", "Mand", "Mend", "Nkoo", "Rohg", "Samr", "Syrc", "Syrj", "Syre", "Thaa", "Yezi"}
)
"""Scripts of ISO 15924 in use today that are written from right to left."""

_RTL_LANGUAGES = frozenset(
    {
        "ar", "arc", "arz", "azb", "bal", "bgn", "ckb", "dv", "fa", "glk", "he", "iw", "khw", "ks", "lrc", "mzn",
        "nqo", "pnb", "ps", "rhg", "sd", "syr", "ug", "ur", "yi",
    }
)  # fmt: skip
"""Languages that are written from right to left unless the tag names a script."""

_RTL_PLACES = frozenset({"az-IR", "ku-IQ", "ku-IR", "ms-CC", "pa-PK", "tr-IQ", "uz-AF"})


def normalised(tag: str) -> str:
    """Return a tag in the form of RFC 5646 §2.1.1: "zh-Hant-TW" for "zh_hant_tw".

    Raises ValueError for a malformed tag.
    """
    lowered = tag.lower().replace("_", "-")
    if not _is_tag(lowered):
        raise explained("unknown-language", ValueError(f"{tag!r:.80} is not a language tag, such as 'de' or 'de-AT'"))
    first, *others = lowered.split("-")
    has_singleton = False
    written = [first]
    for part in others:
        has_singleton = has_singleton or len(part) == 1
        written.append(part if has_singleton else _subtag(part))
    return "-".join(written)


def _subtag(part: str) -> str:
    if len(part) == 4 and part.isalpha():
        return part.title()
    return part.upper() if len(part) == 2 else part


def fallbacks(tag: str) -> list[str]:
    """Return a tag and its fallbacks: "zh-Hant-TW", "zh-Hant", "zh". None of them ends in a singleton."""
    found = []
    while tag:
        found.append(tag)
        tag = tag.rpartition("-")[0]
        if tag[-2:-1] == "-":
            tag = tag[:-2]
    return found


def direction(tag: str) -> Literal["ltr", "rtl"]:
    """Return the writing direction of a language, by the script that the tag names, else by the language."""
    first, *others = tag.split("-")
    script = next((part for part in others if len(part) == 4 and part.isalpha()), None)
    if script is not None:
        is_rtl = script in _RTL_SCRIPTS
    else:
        is_rtl = first in _RTL_LANGUAGES or any(f"{first}-{part}" in _RTL_PLACES for part in others)
    return "rtl" if is_rtl else "ltr"


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

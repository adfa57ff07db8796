"""Languages, as a feature of an app: ``request.language.tag``, and ``request.language.gettext("welcome", name="Ann")``.

app.use(Languages("locales", default="en"))
"""

import os
from functools import partial
from typing import TYPE_CHECKING, cast

from antiphon.explanations import explained
from antiphon.features.languages.folders import files_in, read_all, versions_of
from antiphon.features.languages.request_language import RequestLanguage, fallbacks, normalised
from antiphon.features.languages.texts import Texts, use_outside_of_requests
from antiphon.handler.errors import is_debug
from antiphon.http.accept import AcceptLanguage
from antiphon.http.cookies import SetCookie
from antiphon.paths import caller_file, folder_beside
from antiphon.request.request import Request
from antiphon.response.response import Response

if TYPE_CHECKING:
    from antiphon.app.application import App


_FUNCTIONS = ("gettext", "ngettext", "pgettext", "npgettext")


def _function_of_jinja(name: str, request: Request) -> object:
    from antiphon.features.languages import in_templates

    return getattr(in_templates, name)(request)


def _name_language(request: Request, response: Response) -> None:
    """Name the language of the content, if there is any, and if the language was read (RFC 9110 §8.5)."""
    if Request.language in request:
        language = cast(RequestLanguage, request.language)
        if language.is_chosen and response.body:
            response.headers.setdefault("content-language", language.tag)


class Languages:
    """A feature that responds to each request in one of the languages with translations in the ``folders``.

    The language comes from the query argument ``query`` (``?lang=de``), else from the cookie, else from the best match
    of Accept-Language (RFC 9110 §12.5.4, RFC 4647 §3.4), else it is the default. A name that is None is not looked at.
    If the language was read for a response, the response has Content-Language, and its Vary names what was looked at. A
    request whose language is never read costs nothing.

    Texts are in ``de.json``, or in ``de/LC_MESSAGES/*.po`` and ``.mo``; a relative folder is relative to the file whose
    code makes this object. If several files have a text for one key, the first counts: by the order of the folders,
    then JSON, then gettext's files by name. Files are read once, and in debug mode again when one has changed. Raises
    ValueError for a malformed file (naming file and line), for a missing folder, and for a default that is not a tag;
    TypeError without a folder; and ImportError for a .po without Babel.
    """

    def __init__(
        self,
        *folders: str | os.PathLike[str],
        default: str = "en",
        query: str | None = "lang",
        cookie: str | None = "lang",
    ) -> None:
        file = caller_file()
        if not folders:
            raise explained(
                "bad-feature-option", TypeError('Languages needs a folder: Languages("locales", default="en")')
            )
        if cookie is not None:
            SetCookie(cookie)
        self.default = normalised(default)
        self.query = query
        self.cookie = cookie
        self._folders = [folder_beside(file, each) for each in folders]
        self._watches = is_debug()
        self._versions = versions_of(self._folders) if self._watches else ()
        self._read()

    def _read(self) -> None:
        """Read all catalogues, and collect the translations into each language."""
        found = read_all(files_in(self._folders))
        tags = dict.fromkeys([self.default, *sorted(found)])
        default = fallbacks(self.default)
        self._texts = {
            tag: Texts(
                tag, [each for name in dict.fromkeys([*fallbacks(tag), *default]) for each in found.get(name, ())]
            )
            for tag in tags
        }
        self.tags = tuple(tags)
        """The languages of the application: the default, then the others by name."""

    def install(self, app: "App") -> None:
        """Provide ``request.language``, and share functions with templates."""
        app.provide(Request.language, self._of_request)
        app.complete(_name_language)
        use_outside_of_requests(self)
        app.share(
            __=lambda request: request.language.gettext,
            lang=lambda request: request.language.tag,
            dir=lambda request: request.language.dir,
            **{name: partial(_function_of_jinja, f"{name}_of") for name in _FUNCTIONS},
        )

    def _of_request(self, request: Request) -> RequestLanguage:
        if self._watches:
            self._read_again()
        return RequestLanguage(request, self)

    def _read_again(self) -> None:
        """Read the catalogues again if a file has changed. Raises the errors of reading."""
        versions = versions_of(self._folders)
        if versions != self._versions:
            self._read()
            self._versions = versions

    def texts(self, tag: str) -> Texts:
        """Return the translations into a language, for code without a request. Raises ValueError for a missing one."""
        texts = self._texts
        return texts[tag] if tag in texts else texts[self.match(tag) or self._unknown(tag)]

    def match(self, wanted: str) -> str | None:
        """Return the language that fits a tag: the tag itself, a fallback, or the language of another region.

        Returns None if there is none, or if the tag is malformed.
        """
        asked = AcceptLanguage.parse(wanted)
        return asked.best(self.tags) if asked else None

    def _unknown(self, tag: str) -> str:
        raise explained(
            "unknown-language", ValueError(f"there is no language {tag!r:.80} here, only {', '.join(self.tags)}")
        )

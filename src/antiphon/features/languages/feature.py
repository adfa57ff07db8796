"""Languages, as a feature of an app: ``request.language.tag``, and ``request.language.gettext("welcome", name="Ann")``.

app.use(Languages("locales", default="en"))
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple, NoReturn, cast
from weakref import WeakKeyDictionary

from antiphon import App, Request, Response, explained, is_debug
from antiphon.embedding import Added, Head, Reads, errors_name_it, folders_beside
from antiphon.features.languages.catalogues import Catalogue, read
from antiphon.features.languages.request_language import IN_PATHS, RequestLanguage, fallbacks, normalised, parameters_of
from antiphon.features.languages.texts import Texts, current_language, use_outside_of_requests
from antiphon.features.languages.words import words_for
from antiphon.http import AcceptLanguage, SetCookie
from antiphon.types import Route

_FUNCTIONS = ("gettext", "ngettext", "pgettext", "npgettext")


def _function_of_jinja(name: str, request: Request) -> object:
    from antiphon.features.languages.in_templates import TransFunctions

    return getattr(TransFunctions(request), name)


def _name_language(request: Request, response: Response) -> None:
    """Add the content's language to the response if it has content and the language was read (RFC 9110 §8.5)."""
    if Request.language in request:
        language = cast(RequestLanguage, request.language)
        if language.is_chosen and response.body:
            response.headers.setdefault("content-language", language.tag)
        if language.was_chosen_for_cache:
            response.vary(*Reads.choices[language.choice].fields)


@errors_name_it
class Languages:
    """A feature that responds to each request in one of the languages that have translations in the ``folders``.

        app.use(Languages("translations"))

    The language is the one in the path, of a route or a blueprint's prefix with a parameter ``<language:...>``, or else
    the one named by the query argument ``query`` (``?lang=de``), or else by the cookie, or else the best match for
    Accept-Language (RFC 9110 §12.5.4, RFC 4647 §3.4), or else the default. If ``query`` or ``cookie`` is None, it is
    not checked. A response for which the language was read has Content-Language, and its Vary lists the fields that
    were checked. A request whose language is never read costs nothing.
    """

    def __init__(
        self,
        *folders: str | os.PathLike[str],
        default: str = "en",
        query: str | None = "lang",
        cookie: str | None = "lang",
    ) -> None:
        """Errors and forms' messages are in this language, too: Antiphon translates its own messages, which the app's
        catalogues override.

        Translations are in ``de.json``, or in ``de/LC_MESSAGES/*.po`` and ``.mo``. A relative path is relative to the
        file whose code creates this object. If several files have text for the same key, the first one wins: in the
        order of the folders, with JSON before gettext's files, which are sorted by name. Files are read once and, in
        debug mode, again when one of them changes. Raises ValueError for a malformed file (naming the file and line),
        for a missing folder, and for a default that is not a tag; TypeError if no folder is given; and ImportError for
        a .po file without Babel.
        """
        if not folders:
            raise explained(
                "bad-feature-option", 'Languages needs a folder: Languages("locales", default="en")', TypeError
            )
        if cookie is not None:
            SetCookie(cookie)
        self.default = normalised(default)
        self.query = query
        self.cookie = cookie
        self._in_paths: WeakKeyDictionary[App, frozenset[str]] = WeakKeyDictionary()
        self._folders = folders_beside(*folders)
        self._watches = is_debug()
        self._versions = versions_of(self._folders) if self._watches else ()
        self._read()

    def _read(self) -> None:
        """Read all catalogues, and collect the translations by language."""
        found = read_all(files_in(self._folders))
        tags = dict.fromkeys([self.default, *sorted(found)])
        self._texts = {
            tag: Texts(
                tag, [*_catalogues(tag, found), *(_catalogues(self.default, found) if tag != self.default else ())]
            )
            for tag in tags
        }
        self.tags = tuple(tags)
        """The application's languages: the default, then the others by name."""
        self.choice = f"{Reads.CHOICE}language {(self.cookie, self.tags)!r}"
        fields = ("cookie", "accept-language") if self.cookie else ("accept-language",)
        Reads.add_choice(self.choice, fields, self._chosen_for)

    def _chosen_for(self, head: Head) -> str:
        """Return the language for a request whose query names none."""
        request = Request(head)
        return RequestLanguage(request, self).negotiated() or self.default

    def install(self, app: App) -> None:
        """Provide ``request.language`` and the converter of languages in paths, and share functions with templates."""
        app.converter(IN_PATHS, self._in_path, default=self._of_url)
        app.provide(Request.language, self._of_request)
        app.before_send(_name_language)
        use_outside_of_requests(self)
        app.template_context(
            __=lambda request: request.language.gettext,
            lang=lambda request: request.language.tag,
            dir=lambda request: request.language.dir,
            **{name: partial(_function_of_jinja, name) for name in _FUNCTIONS},
        )

    def __adds__(self, route: Route, method: str) -> Iterable[Added]:
        yield Added(headers=("content-language", "set-cookie", "vary"), cookies=(self.cookie,) if self.cookie else ())

    def _in_path(self, segment: str) -> str:
        """Return a language in a path. Raises ValueError for one that the application lacks."""
        return segment if segment in self.tags else self._unknown(segment)

    def parameters_in(self, app: App) -> frozenset[str]:
        """Return the names of parameters that have the language in all paths of an application."""
        found = self._in_paths.get(app)
        if found is None:
            found = self._in_paths[app] = parameters_of(*(route.pattern for route in app.routes))
        return found

    def _of_url(self) -> str:
        """Return the language for a URL that is made without one."""
        language = current_language()
        return self.default if language is None else language.tag

    def _of_request(self, request: Request) -> RequestLanguage:
        if self._watches:
            self._read_again()
        return RequestLanguage(request, self)

    def _read_again(self) -> None:
        """Reread the catalogues if a file has changed. Raises the same errors as reading them for the first time."""
        versions = versions_of(self._folders)
        if versions != self._versions:
            self._read()
            self._versions = versions

    def texts(self, tag: str) -> Texts:
        """Return the translations into a language, for use outside requests. Raises ValueError if there are none."""
        texts = self._texts
        return texts[tag] if tag in texts else texts[self.match(tag) or self._unknown(tag)]

    def match(self, wanted: str) -> str | None:
        """Return the language that matches a tag: the tag itself, a fallback, or the same language in another region.

        Returns None if there is no match, or if the tag is malformed.
        """
        asked = AcceptLanguage.parse(wanted)
        return asked.best(self.tags) if asked else None

    def _unknown(self, tag: str) -> NoReturn:
        raise explained("unknown-language", f"there is no language {tag!r:.80} here, only {', '.join(self.tags)}")


def _catalogues(tag: str, found: Mapping[str, list[Catalogue]]) -> list[Catalogue]:
    """Return the catalogues of a language and its fallbacks, then the framework's own messages in it."""
    return [*(each for name in fallbacks(tag) for each in found.get(name, ())), *words_for(tag)]


_GETTEXT = "LC_MESSAGES"


class CatalogueFile(NamedTuple):
    """A file with translations into a language."""

    tag: str
    path: str


def files_in(folders: Iterable[str]) -> Iterator[CatalogueFile]:
    """Yield the files in folders in order of precedence: the first text for a key wins.

    Folders keep their order; in each folder, JSON comes first, then gettext's files by name. A .po file next to the .mo
    file that was compiled from it is skipped. Raises ValueError for a name that is not a language.
    """
    for folder in folders:
        names = sorted(os.listdir(folder))
        for name in names:
            stem, suffix = os.path.splitext(name)
            if suffix == ".json" and not name.startswith("."):
                yield CatalogueFile(_tag_of(stem, os.path.join(folder, name)), os.path.join(folder, name))
        for name in names:
            messages = os.path.join(folder, name, _GETTEXT)
            if os.path.isdir(messages):
                tag = _tag_of(name, os.path.join(folder, name))
                yield from (CatalogueFile(tag, path) for path in _gettext_files(messages))


def _tag_of(name: str, path: str) -> str:
    try:
        return normalised(name)
    except ValueError as error:
        raise explained("bad-catalogue", f"{path}: {error}") from None


def _gettext_files(folder: str) -> list[str]:
    names = sorted(os.listdir(folder))
    compiled = {name[:-3] for name in names if name.endswith(".mo")}
    found = [name for name in names if name.endswith(".mo") or (name.endswith(".po") and name[:-3] not in compiled)]
    return [os.path.join(folder, name) for name in found]


def read_all(files: Iterable[CatalogueFile]) -> dict[str, list[Catalogue]]:
    """Read files and return the catalogues of each language, in order. Raises the same errors as ``read``."""
    found: dict[str, list[Catalogue]] = {}
    for tag, path in files:
        found.setdefault(tag, []).append(read(path, tag))
    return found


def versions_of(folders: Iterable[str]) -> tuple[tuple[str, int, int], ...]:
    """Return each file's name, modification time and size, which show whether any file has changed."""
    found = []
    for _, path in files_in(folders):
        status = os.stat(path)
        found.append((path, status.st_mtime_ns, status.st_size))
    return tuple(found)

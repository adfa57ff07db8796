"""Pages from files, as a feature: the Python files in a folder are served at the paths that match their names.

app.use(FileRoutes("pages"))
"""

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cached_property
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any, ClassVar, NamedTuple, TypeVar, Unpack
from zlib import crc32

from antiphon import Blueprint, explained
from antiphon.embedding import errors_name_it, folders_beside
from antiphon.types import Handler, RouteOptions, Routes

__reads__ = "anything"

METHODS = {
    "render": "GET",
    "get": "GET",
    "post": "POST",
    "put": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
    "query": "QUERY",
}
"""The names of a page's handlers, and the methods that each handles."""

_INDEXES = ("index", "page")
"""The names, without the suffix, that the page for the folder itself may have."""
_parameter = re.compile(r"\[(?:\.\.\.([A-Za-z_]\w*)|([A-Za-z_]\w*)(?::(\w+(?:\([^()\[\]<>]*\))?))?)\]", re.ASCII)
_text = re.compile(r"[\w.~@-]*").fullmatch
"""Characters that need no escape in a path: the unreserved ones (RFC 3986 §2.3), "@", and letters of all scripts."""

H = TypeVar("H", bound=Handler)


def route_options(**options: Unpack[RouteOptions]) -> Callable[[H], H]:
    """Set the route options of a page handler: ``@route_options(receive="stream")``. See ``RouteOptions``.

    A decorator applied above this one preserves the options if it uses ``functools.wraps``.
    """

    def give(function: H) -> H:
        vars(function)["_route_options"] = options
        return function

    return give


class RouteFile(NamedTuple):
    """A page's file: its path, and its path in the folder without the suffix, with slashes: "user/[id]"."""

    path: str
    name: str


@errors_name_it
class FileRoutes:
    """A feature that serves the Python files in a folder at the paths that match their names.

        app.use(FileRoutes("pages"))

    ``about.py`` is served at "/about", ``user/[id:int].py`` at "/user/<int:id>", ``files/[...rest].py`` at
    "/files/<path:rest>", and ``index.py`` or ``page.py`` at the path of its folder. A file's functions are its
    handlers: ``render`` or ``get`` handles GET, and ``post``, ``put``, ``patch``, ``delete`` and ``query`` handle the
    methods of those names. For ``url_for``, a page's name is its path in the folder without ".py": "user/[id:int]".
    Files and folders whose names begin with "_" or "." are not pages.

    A relative path is relative to the file whose code creates the feature. Raises ValueError for a missing folder.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".py",)
    """The suffixes of pages. If files in a folder differ only in the suffix, the first of these wins."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        [self.folder] = folders_beside(folder)

    def install(self, app: Routes) -> None:
        """Import the files and register their handlers.

        Raises ValueError, naming the file, for an invalid name, a page without a handler, a link that points outside
        the folder, and two files with the same path. Raises TypeError for a handler that can't be called. Errors from
        the imports propagate.
        """
        for pattern, page in _by_pattern(_page_files(self.folder, self.suffixes), app).items():
            for methods, handler in self.handlers(page):
                options: RouteOptions = getattr(handler, "_route_options", RouteOptions())
                options = {**options, "name": options.get("name") or page.name}
                app.route(pattern, methods, **options)(handler)

    def handlers(self, page: RouteFile) -> Iterable[tuple[tuple[str, ...], Handler]]:
        """Return a page's handlers, each with its methods. Override this method to find other handlers, using ``load``.

        Raises ValueError for a page without a handler, and TypeError if a handler's name is used for anything but a
        function defined in the page.
        """
        return [((METHODS[name],), handler) for name, handler in _handlers(self.load(page), page.path).items()]

    def load(self, page: RouteFile) -> ModuleType:
        """Import a page, unless it is already imported, and return its module.

        Raises ValueError if another file's module has this name, ImportError for anything that is not a Python file,
        and any error raised by the import.
        """
        return _import_page(self._package, self.folder, page)

    @cached_property
    def _package(self) -> str:
        return _root_package(self.folder)


def _page_files(root: str, suffixes: tuple[str, ...]) -> Iterator[RouteFile]:
    """Yield the pages in a folder, at any depth: first the folder's own pages, then those in its subfolders.

    Raises ValueError for a link that points outside the folder or to a folder, and OSError for an unreadable folder.
    """
    real = os.path.join(os.path.realpath(root), "")
    for folder, folders, files in os.walk(root, onerror=_raise):
        folders[:] = sorted(filter(_is_page_name, folders))
        paths = [os.path.join(folder, name) for name in _of_suffixes(files, suffixes)]
        for path in [*paths, *(os.path.join(folder, name) for name in folders)]:
            if os.path.islink(path) and (path not in paths or not os.path.realpath(path).startswith(real)):
                raise explained("bad-page-file", f"{path} is a link: only links to files in {root} are pages")
        for path in paths:
            yield RouteFile(path, os.path.splitext(os.path.relpath(path, root))[0].replace(os.sep, "/"))


def _of_suffixes(files: Iterable[str], suffixes: tuple[str, ...]) -> list[str]:
    """Return the filenames of the pages, in order. If names differ only in the suffix, only one of them is
    returned.
    """
    chosen: dict[str, str] = {}
    for suffix in suffixes:
        for name in filter(_is_page_name, files):
            if name.endswith(suffix):
                chosen.setdefault(name.removesuffix(suffix), name)
    return sorted(chosen.values())


def _is_page_name(name: str) -> bool:
    """Return True if a file with this name may be a page, or a folder with this name may contain pages."""
    return name[0] not in "._"


def _raise(error: OSError) -> None:
    raise error


# Paths


def _by_pattern(pages: Iterable[RouteFile], app: Routes) -> dict[str, RouteFile]:
    """Return pages by the patterns of their paths. Raises ValueError for a bad name, or if two pages have one
    pattern."""
    known: dict[str, RouteFile] = {}
    root = "" if isinstance(app, Blueprint) and app.prefix else "/"
    for page in pages:
        try:
            pattern = _pattern(page.name) or root
            app.route(pattern or "/")  # which checks it, and registers nothing yet
        except ValueError as error:
            raise explained("bad-page-file", f"{page.path}: {error}") from None
        other = known.setdefault(pattern, page)
        if other is not page:
            raise explained(
                "bad-page-file",
                f"{other.path} and {page.path} are both the page at {pattern or '/'}: remove one of them",
            )
    return known


def _pattern(name: str) -> str:
    """Return the route pattern for a page's name: "/user/<int:id>" for "user/[id:int]"."""
    segments = name.split("/")
    if segments[-1] in _INDEXES:
        segments.pop()
    return "".join([f"/{_segment(segment)}" for segment in segments])


def _segment(written: str) -> str:
    """Return the pattern segment for a name: "<int:id>" for "[id:int]". Raises ValueError for a bad name."""
    if not _text(_parameter.sub("", written)):
        raise explained(
            "bad-page-file",
            f"{written!r} can't be a segment of a path, which contains letters, digits, - . _ ~ @, and parameters:"
            " [name], [name:int] or [...name]",
        )
    return _parameter.sub(_written_parameter, written)


def _written_parameter(found: re.Match[str]) -> str:
    rest, name, converter = found.groups()
    return f"<path:{rest}>" if rest else f"<{converter}:{name}>" if converter else f"<{name}>"


# Modules


def _root_package(folder: str) -> str:
    """Return the package name of a folder: the name under which Python imports it, or else a separate one."""
    name = _name_on_path(folder)
    with suppress(ImportError, ValueError):
        spec = find_spec(name) if name else None
        if spec and spec.submodule_search_locations and next(iter(spec.submodule_search_locations)) == folder:
            return name
    return f"pages_{crc32(os.fsencode(folder)):08x}"


def _name_on_path(folder: str) -> str:
    """Return a folder's package name, relative to the nearest folder in ``sys.path``; empty if there is none."""
    above = [os.path.join(os.path.abspath(entry), "") for entry in sys.path]
    way = folder.removeprefix(max(filter(folder.startswith, above), key=len, default=folder))
    return "" if "." in way else way.replace(os.sep, ".")


def _import_page(package: str, folder: str, page: RouteFile) -> ModuleType:
    """Import a page as a module of a package, and its parent folders as packages."""
    *folders, name = page.name.split("/")
    _make_package(package, folder)
    for each in folders:
        folder = os.path.join(folder, each)
        package = f"{package}.{_module_name(each)}"
        _make_package(package, folder)
    return _import_file(f"{package}.{_module_name(name)}", page.path)


def _module_name(written: str) -> str:
    """Return the name of a file or folder without dots, because dots separate packages. No page's name contains a
    "*".
    """
    return written.replace(".", "*")


def _make_package(name: str, folder: str) -> None:
    """Turn a folder into a package, so that its files can import each other even if a page next to the folder has the
    same name.
    """
    init = os.path.join(folder, "__init__.py")
    if os.path.isfile(init):
        _import_file(name, init)
    elif name not in sys.modules:
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [folder]
        sys.modules[name] = module_from_spec(spec)
    elif not hasattr(sys.modules[name], "__path__"):
        sys.modules[name].__path__ = [folder]


def _import_file(name: str, path: str) -> ModuleType:
    """Import a file as a module, unless it is already imported. Raises ValueError if another file has the name."""
    if known := sys.modules.get(name):
        file = getattr(known, "__file__", None)
        if not file or not os.path.samefile(file, path):
            raise explained(
                "bad-page-file", f"{file or known} and {path} would both be the module {name}: rename one of them"
            )
        return known
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise explained("bad-page-file", ImportError(f"{path} can't be imported", name=name, path=path))
    module = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


# Handlers


def _handlers(module: ModuleType, path: str) -> dict[str, Any]:
    """Return a page's handlers by name.

    Raises ValueError for a page without a handler, and TypeError if a handler's name is used for anything but a
    function defined in the page.
    """
    handlers = {name: vars(module)[name] for name in METHODS if name in vars(module)}
    if not handlers:
        raise explained(
            "bad-page-file",
            f"{path} has no handler: define one of {', '.join(METHODS)}; or, if this isn't a page, begin its name"
            " with an underscore",
        )
    if "render" in handlers and "get" in handlers:
        raise explained(
            "bad-page-file", f"{path} has both render and get, which handle the same method: remove one of them"
        )
    for name, handler in handlers.items():
        if not callable(handler):
            raise explained(
                "bad-page-file",
                f"{path}: {name} would handle {METHODS[name]}, but is not a function: rename it",
                TypeError,
            )
        if _is_imported(handler, module):
            raise explained(
                "bad-page-file",
                f"{path}: {name} would handle {METHODS[name]}, but is imported from {handler.__module__}: import it"
                " under another name and call it from a function in the page",
                TypeError,
            )
    return handlers


def _is_imported(function: Any, module: ModuleType) -> bool:
    """True if a function found in one module is also a global of the module that defines it."""
    origin = sys.modules.get(getattr(function, "__module__", None) or "")
    return origin is not module and getattr(origin, getattr(function, "__name__", ""), None) is function

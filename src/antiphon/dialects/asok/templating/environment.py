"""The environment that renders templates as Asok does: where it finds them, and which names they can use."""

import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Self, cast

from jinja2 import BaseLoader, Environment, Template, TemplateNotFound, TemplateRuntimeError, nodes
from jinja2.loaders import split_template_path
from jinja2.utils import Namespace, missing

from antiphon import is_debug
from antiphon.dialects.asok.templating.filters import (
    TEMPLATE_FILTERS,
    TEMPLATE_TESTS,
    StrictUndefined,
    Undefined,
    to_html,
)
from antiphon.dialects.asok.templating.syntax import (
    JOINED,
    NAMESPACE,
    AsokParser,
    CacheTag,
    ComponentTag,
    Preparation,
    rescoped,
)
from antiphon.embedding import require_names
from antiphon.features.templates.environment import RequestContext, render

if TYPE_CHECKING:
    from antiphon.dialects.asok.app import Asok


OF_REQUEST = {
    "__": "__",
    "csrf_input": "csrf_input",
    "csrf_token": "csrf_token_value",
    "errors": "errors",
    "get_flashed_messages": "get_flashed_messages",
    "meta": "meta",
    "nonce": "nonce",
    "old": "old",
    "static": "static",
}
"""Template names and the request attributes that they refer to. An attribute is read when its name is used."""


class AsokContext(RequestContext):
    """The names that a template can use: its data, shared values, names from the request, and functions."""

    def resolve_of_request(self, request: Any, key: str) -> Any:
        """Look up, in the request, a name that the data lacks. Return Jinja's ``missing`` if it is unknown."""
        if request is not None:
            if "own_shared" in vars(request) and key in request.own_shared:
                return request.own_shared[key]
            if key in (shared := request.native.shared) and key != "csrf_token":  # which would set no cookie
                return shared[key]
            if key in OF_REQUEST:
                return getattr(request, OF_REQUEST[key], missing)
        return self.environment.globals.get(key, missing)


def component(name: str, *_args: Any, **_options: Any) -> Any:
    """A stand-in for Asok's components. Raises TemplateRuntimeError."""
    raise TemplateRuntimeError(
        f"the component {name!r} can't be rendered: the Asok dialect has no components;"
        " see docs/reference/dialects/asok.md"
    )


SUFFIXES = (".html", ".asok")
"""The suffixes of templates. They are interchangeable and optional."""

PAGES = ("page.html", "page.asok")
"""The required filenames for the templates of pages. Other templates may have any name."""
_OF_FREE_NAMES = ("/components/", "/html/", "/partials/", "/templates/")


_MOST_TEXTS = 400
"""The maximum number of string templates whose names a loader keeps."""


class ProjectLoader(BaseLoader):
    """A project's templates: those below ``src/`` by their path in the project, the others by their path in its
    partials.
    """

    def __init__(self, root: str, *partials: str) -> None:
        self._root = root
        self._partials = [os.path.join(root, folder) for folder in partials]
        self._texts: OrderedDict[str, str] = OrderedDict()

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, Callable[[], bool]]:  # noqa: ARG002
        """Return a template's source, and its file if it has one. Raises TemplateNotFound."""
        if (text := self._texts.get(template)) is not None:
            return text, None, lambda: True
        inside = os.path.join(*split_template_path(template))
        folders = [self._root] if template.startswith("src/") else self._partials
        path = _first_file(os.path.join(folder, inside) for folder in folders)
        if path is None:
            raise TemplateNotFound(template, f"there is no template {template!r} in {' or '.join(folders)}")
        with open(path, encoding="utf-8") as file:
            return file.read(), path, lambda: True

    def name_text(self, text: str) -> str:
        """Return a name under which to load a template given as a string."""
        name = f"text {sha256(text.encode()).hexdigest()[:16]}"
        self._texts[name] = text
        self._texts.move_to_end(name)
        while len(self._texts) > _MOST_TEXTS:
            self._texts.popitem(last=False)
        return name

    def name_of(self, filepath: str, page_file: str | None) -> str:
        """Return the name of the template that a page asks for: next to the page, below ``src/``, or in the partials.

        Raises TemplateNotFound, or ValueError for a page's template with a forbidden filename.
        """
        tried = [*self._places(filepath, page_file)]
        path = _first_file(tried)
        if path is None:
            raise TemplateNotFound(filepath, f"there is no template {filepath!r}: neither {' nor '.join(tried)}")
        name = os.path.relpath(path, self._root).replace(os.sep, "/")
        if not name.startswith("src/"):
            raise TemplateNotFound(filepath, f"the template {path} is not below {os.path.join(self._root, 'src')}")
        if not (name.endswith(PAGES) or any(folder in name for folder in _OF_FREE_NAMES)):
            raise ValueError(
                f"{path} has a bad name: the template of a page must be called page.html or page.asok; others are in"
                f" {' or '.join(self._partials)}"
            )
        return name

    def _places(self, filepath: str, page_file: str | None) -> Iterator[str]:
        if os.path.isabs(filepath) or filepath.startswith("src/"):
            yield os.path.join(self._root, filepath)
            return
        yield os.path.join(os.path.dirname(page_file) if page_file else f"{self._root}/src/pages", filepath)
        for folder in self._partials:
            yield os.path.join(folder, filepath)


def _first_file(paths: Iterable[str]) -> str | None:
    return next((found for path in paths if (found := find_file(path))), None)


def find_file(path: str) -> str | None:
    """Return the path of a template's file, which may have the other suffix; None if there is none."""
    stem, suffix = os.path.splitext(path)
    others = [f"{stem}{other}" for other in SUFFIXES if suffix in SUFFIXES]
    return next((each for each in [path, *(path + other for other in SUFFIXES), *others] if os.path.isfile(each)), None)


require_names("jinja2", "3.1", Environment, "_parse")
_FUNCTIONS = (abs, bool, dict, enumerate, float, int, len, list, max, min, range, reversed, sorted, str, sum)
"""Python's built-in functions that templates may call."""
_GLOBALS: dict[str, Any] = {
    **{function.__name__: function for function in _FUNCTIONS},
    JOINED: lambda *values: "".join(map(str, values)),
    NAMESPACE: Namespace,
    "component": component,
    "namespace": Namespace,
}

_READABLE = frozenset(("_error", "_fields", "_input_schema", "_label", "_output_schema"))
"""Names that start with an underscore but that templates may use."""


class AsokTemplate(Template):
    """A template that displays values as Asok does."""

    @classmethod
    def from_code(cls, *args: Any, **options: Any) -> Self:
        template = super().from_code(*args, **options)
        template.root_render_func.__globals__["escape"] = to_html
        return cast("Self", template)


class AsokEnvironment(Environment):
    """An environment for one project's templates. With ``is_strict``, displaying an unknown name is an error."""

    context_class = AsokContext
    template_class = AsokTemplate

    def __init__(self, loader: BaseLoader, *, is_strict: bool = False, is_cached: bool = True) -> None:
        super().__init__(
            loader=loader,
            autoescape=True,
            auto_reload=False,
            cache_size=1000 if is_cached else 0,
            keep_trailing_newline=True,
            undefined=StrictUndefined if is_strict else Undefined,
            extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols", Preparation, CacheTag, ComponentTag],
        )
        self.filters = TEMPLATE_FILTERS
        self.tests = TEMPLATE_TESTS
        self.globals = _GLOBALS

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return rescoped(AsokParser(self, source, name, filename).parse())

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return a dictionary's item, an attribute, or any other object's item, but nothing private."""
        if attribute.startswith("_") and attribute not in _READABLE:
            return ""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        try:
            return getattr(obj, attribute)
        except (AttributeError, TypeError):
            return self._item(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an item. For a string key, return the result of ``getattr``."""
        return self.getattr(obj, argument) if isinstance(argument, str) else self._item(obj, argument)

    def _item(self, obj: Any, argument: Any) -> Any:
        try:
            return obj[argument]
        except (LookupError, TypeError):
            return self.undefined(obj=obj, name=argument)


class ProjectTemplates:
    """A project's templates. They are read once, or on each use if ``DEBUG`` is set or in debug mode."""

    def __init__(self, app: "Asok") -> None:
        self._is_kept = not (app.config["DEBUG"] or is_debug())
        self._loader = ProjectLoader(app.root_dir, app.dirs["PARTIALS"])
        self._found: dict[tuple[str, str | None], Template] = {}
        self.environment = AsokEnvironment(
            self._loader, is_strict=bool(app.config["STRICT_VARIABLES"]), is_cached=self._is_kept
        )

    def find(self, filepath: str, page_file: str | None) -> Template:
        """Find a template by the name a page uses. Raises TemplateNotFound, ValueError or TemplateSyntaxError."""
        template = self._found.get((filepath, page_file))
        if template is None:
            template = self.environment.get_template(self._loader.name_of(filepath, page_file))
            if self._is_kept:
                self._found[filepath, page_file] = template
        return template

    def render(self, template: Template, variables: dict[str, Any]) -> str:
        return render(template, variables)

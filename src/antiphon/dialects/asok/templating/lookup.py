"""The places of templates: next to their page, below ``src``, and in the project's partials."""

import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256

from jinja2 import BaseLoader, Environment, TemplateNotFound
from jinja2.loaders import split_template_path

SUFFIXES = (".html", ".asok")
"""The suffixes of templates. Either can stand for the other, or be left out."""

PAGES = ("page.html", "page.asok")
"""The names of the templates of pages. Those of other templates are free."""
_OF_FREE_NAMES = ("/components/", "/html/", "/partials/", "/templates/")


_MOST_TEXTS = 400
"""The number of templates from text whose names a loader keeps."""


class ProjectLoader(BaseLoader):
    """The templates of a project: those below ``src/`` by their path in the project, others by their path in its
    partials.
    """

    def __init__(self, root: str, *partials: str) -> None:
        self._root = root
        self._partials = [os.path.join(root, folder) for folder in partials]
        self._texts: OrderedDict[str, str] = OrderedDict()

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, Callable[[], bool]]:  # noqa: ARG002
        """Return the text of a template, and its file if it has one. Raises TemplateNotFound."""
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
        """Return a name for loading a template that is given as text."""
        name = f"text {sha256(text.encode()).hexdigest()[:16]}"
        self._texts[name] = text
        self._texts.move_to_end(name)
        while len(self._texts) > _MOST_TEXTS:
            self._texts.popitem(last=False)
        return name

    def name_of(self, filepath: str, page_file: str | None) -> str:
        """Return the name of the template that a page means: next to the page, below ``src/``, or in the partials.

        Raises TemplateNotFound, and ValueError for a template of a page that has not the name of such.
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
                f"{path} has a bad name: the template of a page is called page.html or page.asok; others are in"
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
    """Return the path of a template's file, which may have the other suffix, or None if there is none."""
    stem, suffix = os.path.splitext(path)
    others = [f"{stem}{other}" for other in SUFFIXES if suffix in SUFFIXES]
    return next((each for each in [path, *(path + other for other in SUFFIXES), *others] if os.path.isfile(each)), None)

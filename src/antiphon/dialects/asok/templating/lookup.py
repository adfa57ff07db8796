"""Where templates are found: beside their page, below ``src``, and in the project's partials."""

import os
from collections.abc import Callable, Iterator

from jinja2 import BaseLoader, Environment, TemplateNotFound
from jinja2.loaders import split_template_path

SUFFIXES = (".html", ".asok")
"""The ends of the names of templates. Either stands for the other, and for none."""

PAGES = ("page.html", "page.asok")
"""The names of the templates of pages. Those of other templates are free."""
_OF_FREE_NAMES = ("/components/", "/html/", "/partials/", "/templates/")


class ProjectLoader(BaseLoader):
    """The templates of a project: below ``src/`` by their path in the project, others by that in its partials."""

    def __init__(self, root: str, partials: str) -> None:
        self._root = root
        self._partials = os.path.join(root, partials)

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:  # noqa: ARG002
        """Return the text of a template, and its file. Raises TemplateNotFound."""
        inside = os.path.join(*split_template_path(template))
        path = find_file(os.path.join(self._root if template.startswith("src/") else self._partials, inside))
        if path is None:
            raise TemplateNotFound(template, f"there is no template {template!r} in {self._partials}")
        with open(path, encoding="utf-8") as file:
            return file.read(), path, lambda: True

    def name_of(self, filepath: str, page_file: str | None) -> str:
        """Return the name of the template that a page calls so: beside the page, below ``src/``, or in the partials.

        Raises TemplateNotFound, and ValueError for a template of a page that has not the name of such.
        """
        tried = [*self._places(filepath, page_file)]
        path = next((found for place in tried if (found := find_file(place))), None)
        if path is None:
            raise TemplateNotFound(filepath, f"there is no template {filepath!r}: neither {' nor '.join(tried)}")
        name = os.path.relpath(path, self._root).replace(os.sep, "/")
        if not name.startswith("src/"):
            raise TemplateNotFound(filepath, f"the template {path} is not below {os.path.join(self._root, 'src')}")
        if not (name.endswith(PAGES) or any(folder in name for folder in _OF_FREE_NAMES)):
            raise ValueError(
                f"{path} has a bad name: the template of a page is called page.html or page.asok; others are in"
                f" {self._partials}"
            )
        return name

    def _places(self, filepath: str, page_file: str | None) -> Iterator[str]:
        if os.path.isabs(filepath) or filepath.startswith("src/"):
            yield os.path.join(self._root, filepath)
            return
        yield os.path.join(os.path.dirname(page_file) if page_file else f"{self._root}/src/pages", filepath)
        yield os.path.join(self._partials, filepath)


def find_file(path: str) -> str | None:
    """Return the path of a template's file, which may have another suffix; None if there is none."""
    stem, suffix = os.path.splitext(path)
    others = [f"{stem}{other}" for other in SUFFIXES if suffix in SUFFIXES]
    return next((each for each in [path, *(path + other for other in SUFFIXES), *others] if os.path.isfile(each)), None)

"""The templates of one project: their environment, and those that were found."""

from typing import TYPE_CHECKING, Any

from jinja2 import Template

from antiphon import is_debug
from antiphon.dialects.asok.templating.environment import AsokEnvironment
from antiphon.dialects.asok.templating.lookup import ProjectLoader
from antiphon.embedding import render

if TYPE_CHECKING:
    from antiphon.dialects.asok.app import Asok


class ProjectTemplates:
    """The templates of a project, which are read once; with its setting ``DEBUG``, or in debug mode, on each use."""

    def __init__(self, app: "Asok") -> None:
        self._is_kept = not (app.config["DEBUG"] or is_debug())
        self._loader = ProjectLoader(app.root_dir, app.dirs["PARTIALS"])
        self._found: dict[tuple[str, str | None], Template] = {}
        self.environment = AsokEnvironment(
            self._loader, is_strict=bool(app.config["STRICT_VARIABLES"]), is_cached=self._is_kept
        )

    def find(self, filepath: str, page_file: str | None) -> Template:
        """Return the template that a page calls so. Raises TemplateNotFound, ValueError, and TemplateSyntaxError."""
        template = self._found.get((filepath, page_file))
        if template is None:
            template = self.environment.get_template(self._loader.name_of(filepath, page_file))
            if self._is_kept:
                self._found[filepath, page_file] = template
        return template

    def render(self, template: Template, variables: dict[str, Any]) -> str:
        """Return the text of a template."""
        return render(template, variables)

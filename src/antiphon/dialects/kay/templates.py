"""The templates of an application."""

from typing import Any

from antiphon.dialects.kay.conf import Settings
from antiphon.dialects.werkzeug.utils import import_string
from antiphon.lazy import missing_package


def load_templates(settings: Settings) -> Any:
    """Return a Jinja environment for the TEMPLATE_DIRS, and the `templates` folders of packages under their names.

    It has the JINJA2_EXTENSIONS and JINJA2_FILTERS. Texts to translate stay as they are. Raises ImportError if Jinja is
    not installed.
    """
    try:
        import jinja2
    except ModuleNotFoundError as error:
        raise missing_package(error, "templates") from error
    packages = {name.rpartition(".")[2]: jinja2.PackageLoader(name) for name in _with_templates(settings)}
    folders = jinja2.FileSystemLoader(list(settings.TEMPLATE_DIRS))
    loader = jinja2.ChoiceLoader([folders, jinja2.PrefixLoader(packages)])
    options = {"autoescape": True, "extensions": settings.JINJA2_EXTENSIONS, **settings.JINJA2_ENVIRONMENT_KWARGS}
    environment: Any = jinja2.Environment(loader=loader, **options)  # noqa: S701 - it is what settings.py says
    if hasattr(environment, "install_null_translations"):
        environment.install_null_translations()
    environment.filters |= {name: import_string(function) for name, function in settings.JINJA2_FILTERS.items()}
    return environment


def _with_templates(settings: Settings) -> list[str]:
    from importlib.resources import files

    return [name for name in settings.INSTALLED_APPS if files(name).joinpath("templates").is_dir()]

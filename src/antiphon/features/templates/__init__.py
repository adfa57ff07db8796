"""HTML pages rendered with Jinja2: a whole page, some of its blocks, or its values in JSON."""

from antiphon.embedding import missing_package

__reads__ = "anything"

try:
    import jinja2  # noqa: F401
except ModuleNotFoundError as error:
    raise missing_package(error, "templates") from error

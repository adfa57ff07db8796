"""Asok's templates, rendered by Jinja2."""

from antiphon.embedding import missing_package

try:
    import jinja2  # noqa: F401
except ModuleNotFoundError as error:
    raise missing_package(error, "asok") from error

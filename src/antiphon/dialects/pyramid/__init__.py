"""Pyramid applications, built on the WebOb dialect."""

from antiphon.embedding import missing_package

try:
    import venusian  # noqa: F401
    import zope.interface  # noqa: F401
except ModuleNotFoundError as error:
    raise missing_package(error, "pyramid") from error

__version__ = "2.1"

"""Pyramid's applications, over the WebOb dialect."""

try:
    import zope.interface  # noqa: F401 - every module of this package needs it
except ModuleNotFoundError as error:
    raise ImportError(
        "the Pyramid dialect needs zope.interface: pip install 'antiphon[pyramid]'", name="zope.interface"
    ) from error

__version__ = "2.1"

"""The public names of `kay`: `from antiphon.dialects.kay import Request, Response`."""

from antiphon.dialects.kay.werkzeug import wrappers
from antiphon.dialects.kay.werkzeug.wrappers import *  # noqa: F403 - all of its names are public here too

__all__: list[str] = []
__all__ += wrappers.__all__

"""Werkzeug 0.8, which Kay includes. All other names come from the Werkzeug dialect."""

from antiphon.dialects import werkzeug
from antiphon.dialects.kay.werkzeug import wrappers
from antiphon.dialects.kay.werkzeug.formparser import FormDataParser
from antiphon.dialects.kay.werkzeug.utils import redirect
from antiphon.dialects.kay.werkzeug.wrappers import BaseRequest, BaseResponse, Request, Response

__version__ = "0.8.3"
"""The version of Werkzeug that this package is compatible with."""

__all__ = ["BaseRequest", "BaseResponse", "FormDataParser", "Request", "Response", "redirect"]


def __getattr__(name: str) -> object:
    return getattr(wrappers if name in wrappers.__all__ else werkzeug, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *wrappers.__all__, *dir(werkzeug)})

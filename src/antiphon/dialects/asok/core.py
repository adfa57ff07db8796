"""The application and the request, importable from Asok's internal module path."""

from antiphon.dialects.asok.app import Asok
from antiphon.dialects.asok.request import Request

__all__ = ["Asok", "Request"]

"""The application and the request, under the name of Asok's inner package."""

from antiphon.dialects.asok.app import Asok
from antiphon.dialects.asok.request import Request

__all__ = ["Asok", "Request"]

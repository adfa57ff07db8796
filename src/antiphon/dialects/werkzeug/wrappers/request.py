"""The request class."""

from antiphon.dialects.werkzeug.wrappers.base_request import BaseRequest
from antiphon.dialects.werkzeug.wrappers.json import JSONMixin
from antiphon.dialects.werkzeug.wrappers.sansio import Request as SansIORequest


class Request(SansIORequest, JSONMixin, BaseRequest):
    """A request with attributes for all usual headers."""

"""The request class."""

from antiphon.dialects.werkzeug.wrappers.base_request import BaseRequest
from antiphon.dialects.werkzeug.wrappers.common_descriptors import Request as SansIORequest
from antiphon.dialects.werkzeug.wrappers.json import JSONMixin


class Request(SansIORequest, JSONMixin, BaseRequest):
    """A request with attributes for all usual headers."""

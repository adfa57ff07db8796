"""The response."""

from antiphon.dialects.kay.werkzeug.wrappers.base_response import BaseResponse
from antiphon.dialects.kay.werkzeug.wrappers.common_descriptors import CommonResponseDescriptorsMixin
from antiphon.dialects.werkzeug import wrappers


class Response(CommonResponseDescriptorsMixin, BaseResponse, wrappers.Response):
    """A response with all that there is: see ``BaseResponse``, and the mixins, which Werkzeug's Response has."""

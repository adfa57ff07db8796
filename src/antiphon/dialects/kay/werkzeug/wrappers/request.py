"""The request."""

from antiphon.dialects.kay.werkzeug.wrappers.base_request import BaseRequest
from antiphon.dialects.kay.werkzeug.wrappers.common_descriptors import CommonRequestDescriptorsMixin
from antiphon.dialects.kay.werkzeug.wrappers.conditions import ETagRequestMixin
from antiphon.dialects.werkzeug import wrappers


class Request(ETagRequestMixin, CommonRequestDescriptorsMixin, BaseRequest, wrappers.Request):
    """A request with all that there is: see ``BaseRequest``, and the mixins, which Werkzeug's Request has."""

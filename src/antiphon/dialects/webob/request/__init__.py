"""The request: a WSGI environ as an object."""

import json

from antiphon.dialects.webob.descriptors import environ_decoder, environ_getter, upath_property
from antiphon.dialects.webob.field_storage import FieldStorage as cgi_FieldStorage
from antiphon.dialects.webob.headers import EnvironHeaders
from antiphon.dialects.webob.multidict import GetDict, MultiDict, NestedMultiDict, NoVars
from antiphon.dialects.webob.request.base import AdhocAttrMixin, BaseRequest, LegacyRequest, Request
from antiphon.dialects.webob.request.body import DisconnectionError, LimitedLengthFile
from antiphon.dialects.webob.request.head import PATH_SAFE, NoDefault
from antiphon.dialects.webob.request.message import environ_from_url
from antiphon.dialects.webob.request.message import set_form as environ_add_POST  # noqa: N812

__all__ = [
    "PATH_SAFE", "AdhocAttrMixin", "BaseRequest", "DisconnectionError", "EnvironHeaders", "GetDict", "LegacyRequest",
    "LimitedLengthFile", "MultiDict", "NestedMultiDict", "NoDefault", "NoVars", "Request", "cgi_FieldStorage",
    "environ_add_POST", "environ_decoder", "environ_from_url", "environ_getter", "json", "upath_property",
]  # fmt: skip

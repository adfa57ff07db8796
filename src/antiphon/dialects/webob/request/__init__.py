"""The request: a WSGI environ as an object."""

import json

from antiphon.dialects.webob.environ_properties import environ_decoder, environ_getter, upath_property
from antiphon.dialects.webob.field_storage import FieldStorage as cgi_FieldStorage
from antiphon.dialects.webob.headers import EnvironHeaders
from antiphon.dialects.webob.multidict import GetDict, MultiDict, NestedMultiDict, NoVars
from antiphon.dialects.webob.request.base import AdhocAttrMixin, BaseRequest, LegacyRequest, Request
from antiphon.dialects.webob.request.blank import environ_from_url
from antiphon.dialects.webob.request.blank import set_form as environ_add_POST  # noqa: N812
from antiphon.dialects.webob.request.body_files import DisconnectionError, LimitedLengthFile
from antiphon.dialects.webob.request.head import NoDefault
from antiphon.dialects.webob.request.target import PATH_SAFE

__all__ = [
    "PATH_SAFE", "AdhocAttrMixin", "BaseRequest", "DisconnectionError", "EnvironHeaders", "GetDict", "LegacyRequest",
    "LimitedLengthFile", "MultiDict", "NestedMultiDict", "NoDefault", "NoVars", "Request", "cgi_FieldStorage",
    "environ_add_POST", "environ_decoder", "environ_from_url", "environ_getter", "json", "upath_property",
]  # fmt: skip

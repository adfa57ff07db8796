"""The data structures of requests and responses, under Werkzeug's current and former names."""

from antiphon.dialects.werkzeug.datastructures.accept import Accept, CharsetAccept, LanguageAccept, MIMEAccept
from antiphon.dialects.werkzeug.datastructures.auth import Authorization, WWWAuthenticate
from antiphon.dialects.werkzeug.datastructures.cache_control import (
    RequestCacheControl,
    ResponseCacheControl,
    _CacheControl,
    cache_control_property,
    cache_property,
)
from antiphon.dialects.werkzeug.datastructures.csp import ContentSecurityPolicy, csp_property
from antiphon.dialects.werkzeug.datastructures.dicts import (
    CallbackDict,
    HeaderSet,
    ImmutableDict,
    ImmutableList,
    ImmutableTypeConversionDict,
    TypeConversionDict,
)
from antiphon.dialects.werkzeug.datastructures.etag import ETags
from antiphon.dialects.werkzeug.datastructures.file_storage import FileMultiDict, FileStorage
from antiphon.dialects.werkzeug.datastructures.headers import EnvironHeaders, Headers
from antiphon.dialects.werkzeug.datastructures.mixins import (
    ImmutableDictMixin,
    ImmutableHeadersMixin,
    ImmutableListMixin,
    ImmutableMultiDictMixin,
    UpdateDictMixin,
    is_immutable,
)
from antiphon.dialects.werkzeug.datastructures.range import ContentRange, IfRange, Range
from antiphon.dialects.werkzeug.datastructures.structures import (
    CombinedMultiDict,
    ImmutableMultiDict,
    ImmutableOrderedMultiDict,
    MultiDict,
    OrderedMultiDict,
    iter_multi_items,
)

__all__ = [
    "Accept", "Authorization", "CallbackDict", "CharsetAccept", "CombinedMultiDict", "ContentRange",
    "ContentSecurityPolicy", "ETags", "EnvironHeaders", "FileMultiDict", "FileStorage", "HeaderSet", "Headers",
    "IfRange", "ImmutableDict", "ImmutableDictMixin", "ImmutableHeadersMixin", "ImmutableList",
    "ImmutableListMixin", "ImmutableMultiDict", "ImmutableMultiDictMixin", "ImmutableOrderedMultiDict",
    "ImmutableTypeConversionDict", "LanguageAccept", "MIMEAccept", "MultiDict", "OrderedMultiDict", "Range",
    "RequestCacheControl", "ResponseCacheControl", "TypeConversionDict", "UpdateDictMixin", "WWWAuthenticate",
    "_CacheControl", "cache_control_property", "cache_property", "csp_property", "is_immutable", "iter_multi_items",
]  # fmt: skip

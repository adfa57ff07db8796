"""The dialect of Werkzeug: `from antiphon.dialects.werkzeug.wrappers import Request`.

Its top-level names, both current ones and those from Werkzeug up to 0.16, are imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from antiphon.dialects.werkzeug.serving import run_simple
    from antiphon.dialects.werkzeug.test import Client
    from antiphon.dialects.werkzeug.wrappers import Request, Response


MODULES = frozenset(
    {
        "datastructures",
        "exceptions",
        "formparser",
        "http",
        "local",
        "middleware",
        "routing",
        "sansio",
        "security",
        "serving",
        "test",
        "urls",
        "user_agent",
        "utils",
        "wrappers",
        "wsgi",
    }
)
"""Modules that are attributes of the package even before they are imported."""

MODULE_OF = {
    name: module
    for module, names in {
        "datastructures": (
            "Accept Authorization CallbackDict CharsetAccept CombinedMultiDict ETags EnvironHeaders FileMultiDict "
            "FileStorage HeaderSet Headers ImmutableDict ImmutableList ImmutableMultiDict "
            "ImmutableOrderedMultiDict ImmutableTypeConversionDict LanguageAccept MIMEAccept MultiDict "
            "OrderedMultiDict RequestCacheControl ResponseCacheControl TypeConversionDict WWWAuthenticate"
        ),
        "exceptions": "Aborter abort",
        "formparser": "parse_form_data",
        "http": (
            "HTTP_STATUS_CODES cookie_date dump_cookie dump_header dump_options_header generate_etag http_date "
            "is_entity_header is_hop_by_hop_header is_resource_modified parse_accept_header "
            "parse_authorization_header parse_cache_control_header parse_cookie parse_date parse_dict_header "
            "parse_etags parse_list_header parse_options_header parse_set_header parse_www_authenticate_header "
            "quote_etag quote_header_value remove_entity_headers remove_hop_by_hop_headers unquote_etag "
            "unquote_header_value"
        ),
        "local": "Local LocalManager LocalProxy LocalStack release_local",
        "middleware.dispatcher": "DispatcherMiddleware",
        "middleware.shared_data": "SharedDataMiddleware",
        "security": "check_password_hash generate_password_hash",
        "serving": "run_simple",
        "test": "Client EnvironBuilder create_environ run_wsgi_app",
        "urls": (
            "Href iri_to_uri uri_to_iri url_decode url_encode url_fix url_quote url_quote_plus url_unquote "
            "url_unquote_plus"
        ),
        "user_agent": "UserAgent",
        "utils": (
            "append_slash_redirect cached_property environ_property escape find_modules header_property "
            "import_string redirect secure_filename unescape"
        ),
        "wrappers": (
            "AcceptMixin AuthorizationMixin BaseRequest BaseResponse CommonRequestDescriptorsMixin "
            "CommonResponseDescriptorsMixin ETagRequestMixin ETagResponseMixin Request Response "
            "ResponseStreamMixin UserAgentMixin WWWAuthenticateMixin"
        ),
        "wsgi": (
            "ClosingIterator FileWrapper LimitedStream extract_path_info get_current_url get_host make_line_iter "
            "peek_path_info pop_path_info responder wrap_file"
        ),
    }.items()
    for name in names.split()
}
"""The module of each name: current names, and those that were at the top level up to Werkzeug 0.16."""


__version__ = "3.1.9"
"""The version of Werkzeug that the dialect is compatible with."""

__all__ = ["Client", "Request", "Response", "run_simple"]


def __getattr__(name: str) -> object:
    if name in MODULES:
        return import_module(f"{__package__}.{name}")
    if name not in MODULE_OF:
        raise AttributeError(f"the Werkzeug dialect has no werkzeug.{name}", name=name)
    value: object = getattr(import_module(f"{__package__}.{MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *MODULES, *MODULE_OF})

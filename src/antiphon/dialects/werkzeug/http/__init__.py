"""The functions of `werkzeug.http`: they parse and print header values, on the values of `antiphon.http`."""

from antiphon.dialects.werkzeug.datastructures.range import is_byte_range_valid
from antiphon.dialects.werkzeug.http.conditions import is_resource_modified
from antiphon.dialects.werkzeug.http.fields import (
    COEP,
    COOP,
    is_entity_header,
    is_hop_by_hop_header,
    remove_entity_headers,
    remove_hop_by_hop_headers,
)
from antiphon.dialects.werkzeug.http.parsing import (
    parse_accept_header,
    parse_authorization_header,
    parse_cache_control_header,
    parse_content_range_header,
    parse_cookie,
    parse_csp_header,
    parse_etags,
    parse_if_range_header,
    parse_range_header,
    parse_set_header,
    parse_www_authenticate_header,
)
from antiphon.dialects.werkzeug.status_codes import HTTP_STATUS_CODES
from antiphon.dialects.werkzeug.tokens.cookies import dump_cookie
from antiphon.dialects.werkzeug.tokens.dates import cookie_date, dump_age, http_date, parse_age, parse_date
from antiphon.dialects.werkzeug.tokens.etags import generate_etag, quote_etag, unquote_etag
from antiphon.dialects.werkzeug.tokens.lists import dump_csp_header, dump_header, parse_dict_header, parse_list_header
from antiphon.dialects.werkzeug.tokens.options import (
    dump_options_header,
    parse_options_header,
    quote_header_value,
    unquote_header_value,
)

__all__ = [
    "COEP",
    "COOP",
    "HTTP_STATUS_CODES",
    "cookie_date",
    "dump_age",
    "dump_cookie",
    "dump_csp_header",
    "dump_header",
    "dump_options_header",
    "generate_etag",
    "http_date",
    "is_byte_range_valid",
    "is_entity_header",
    "is_hop_by_hop_header",
    "is_resource_modified",
    "parse_accept_header",
    "parse_age",
    "parse_authorization_header",
    "parse_cache_control_header",
    "parse_content_range_header",
    "parse_cookie",
    "parse_csp_header",
    "parse_date",
    "parse_dict_header",
    "parse_etags",
    "parse_if_range_header",
    "parse_list_header",
    "parse_options_header",
    "parse_range_header",
    "parse_set_header",
    "parse_www_authenticate_header",
    "quote_etag",
    "quote_header_value",
    "remove_entity_headers",
    "remove_hop_by_hop_headers",
    "unquote_etag",
    "unquote_header_value",
]

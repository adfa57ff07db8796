"""Requests from other sites, and what is allowed to them (Fetch §3.3)."""

from antiphon.dialects._environ.attributes import environ_text, environ_value
from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.http.parsing import parse_set_header
from antiphon.dialects.werkzeug.tokens.lists import dump_header
from antiphon.dialects.werkzeug.utils.accessors import header_property


class CORSRequestMixin:
    """What a page of another site asks for."""

    origin = environ_text("HTTP_ORIGIN", "The site of the page that asks; None where that is not said.")
    access_control_request_headers = environ_value(
        "HTTP_ACCESS_CONTROL_REQUEST_HEADERS",
        lambda raw: None if raw is None else parse_set_header(raw),
        "The headers that the request to come will have.",
    )
    access_control_request_method = environ_text(
        "HTTP_ACCESS_CONTROL_REQUEST_METHOD", "The method that the request to come will have."
    )


class CORSResponseMixin:
    """What is allowed to pages of other sites."""

    headers: Headers

    @property
    def access_control_allow_credentials(self) -> bool:
        """True if they may send cookies and credentials."""
        return "Access-Control-Allow-Credentials" in self.headers

    @access_control_allow_credentials.setter
    def access_control_allow_credentials(self, value: bool | None) -> None:
        if value is True:
            self.headers["Access-Control-Allow-Credentials"] = "true"
        else:
            self.headers.pop("Access-Control-Allow-Credentials", None)

    access_control_allow_headers = header_property(
        "Access-Control-Allow-Headers", None, parse_set_header, dump_header, doc="The headers they may send."
    )
    access_control_allow_methods = header_property(
        "Access-Control-Allow-Methods", None, parse_set_header, dump_header, doc="The methods they may use."
    )
    access_control_allow_origin = header_property[str](
        "Access-Control-Allow-Origin", doc="The site whose pages may read this, or `*`."
    )
    access_control_expose_headers = header_property(
        "Access-Control-Expose-Headers", None, parse_set_header, dump_header, doc="The headers they may read."
    )
    access_control_max_age = header_property(
        "Access-Control-Max-Age", None, int, str, doc="For how many seconds they may remember this."
    )

"""Cross-origin resource sharing (Fetch §3.3)."""

from antiphon.dialects._environ.attributes import environ_text, environ_value
from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.http.parsing import parse_set_header
from antiphon.dialects.werkzeug.tokens.lists import dump_header
from antiphon.dialects.werkzeug.utils.accessors import header_property


class CORSRequestMixin:
    """Attributes for the headers of cross-origin requests."""

    origin = environ_text("HTTP_ORIGIN", "The origin of the page that sends the request; None if unknown.")
    access_control_request_headers = environ_value(
        "HTTP_ACCESS_CONTROL_REQUEST_HEADERS",
        lambda raw: None if raw is None else parse_set_header(raw),
        "The headers of the actual request.",
    )
    access_control_request_method = environ_text(
        "HTTP_ACCESS_CONTROL_REQUEST_METHOD", "The method of the actual request."
    )


class CORSResponseMixin:
    """Attributes for the headers that allow cross-origin requests."""

    headers: Headers

    @property
    def access_control_allow_credentials(self) -> bool:
        """True if pages on other sites may send cookies and credentials."""
        return "Access-Control-Allow-Credentials" in self.headers

    @access_control_allow_credentials.setter
    def access_control_allow_credentials(self, value: bool | None) -> None:
        if value is True:
            self.headers["Access-Control-Allow-Credentials"] = "true"
        else:
            self.headers.pop("Access-Control-Allow-Credentials", None)

    access_control_allow_headers = header_property(
        "Access-Control-Allow-Headers",
        None,
        parse_set_header,
        dump_header,
        doc="The request headers that pages on other sites may send.",
    )
    access_control_allow_methods = header_property(
        "Access-Control-Allow-Methods",
        None,
        parse_set_header,
        dump_header,
        doc="The methods that pages on other sites may use.",
    )
    access_control_allow_origin = header_property[str](
        "Access-Control-Allow-Origin", doc="The origin whose pages may read the response, or `*`."
    )
    access_control_expose_headers = header_property(
        "Access-Control-Expose-Headers",
        None,
        parse_set_header,
        dump_header,
        doc="The headers that pages on other sites may read.",
    )
    access_control_max_age = header_property(
        "Access-Control-Max-Age", None, int, str, doc="The seconds for which browsers may cache this answer."
    )

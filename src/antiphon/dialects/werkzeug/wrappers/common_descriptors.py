"""Attributes for all usual headers, and the heads of requests and responses that have them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from antiphon.dialects._environ.attributes import environ_text, environ_value, live_header
from antiphon.dialects.werkzeug.datastructures.accept import Accept, CharsetAccept, LanguageAccept, MIMEAccept
from antiphon.dialects.werkzeug.datastructures.auth import Authorization, WWWAuthenticate
from antiphon.dialects.werkzeug.datastructures.csp import ContentSecurityPolicy
from antiphon.dialects.werkzeug.datastructures.dicts import CallbackDict
from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.http import COEP, COOP, parse_accept_header, parse_csp_header, parse_set_header
from antiphon.dialects.werkzeug.tokens import (
    dump_age,
    dump_header,
    dump_options_header,
    http_date,
    parse_age,
    parse_date,
    parse_options_header,
)
from antiphon.dialects.werkzeug.user_agent import KnownUserAgent, UserAgent
from antiphon.dialects.werkzeug.utils import environ_header, get_content_type, header_property
from antiphon.dialects.werkzeug.wrappers.base_request import RequestHead
from antiphon.dialects.werkzeug.wrappers.base_response import ResponseHead
from antiphon.dialects.werkzeug.wrappers.etag import ETagRequestMixin, VersionMixin
from antiphon.dialects.werkzeug.wrappers.json import JSONTypeMixin
from antiphon.embedding import lazy


class MediaType:
    """A mixin with attributes for the parts of ``content_type``."""

    content_type: Any
    _charset: str

    @property
    def mimetype(self) -> str | None:
        """The media type without parameters, or None if it is missing. Setting it adds a charset to text types."""
        content_type = self.content_type
        return content_type.partition(";")[0].strip() if content_type else None

    @mimetype.setter
    def mimetype(self, value: str) -> None:
        self.content_type = get_content_type(value, self._charset)

    @property
    def mimetype_params(self) -> "CallbackDict[str, str]":
        """The parameters of the media type. Changes to them change the header."""
        return CallbackDict(parse_options_header(self.content_type)[1], self._set_mimetype_params)

    def _set_mimetype_params(self, parameters: Mapping[str, str]) -> None:
        self.content_type = dump_options_header(self.mimetype, parameters)


def _parse_number(raw: str | None) -> int | None:
    try:
        return None if raw is None else int(raw)
    except ValueError:
        return None


class CommonRequestDescriptorsMixin:
    """Read-only attributes for a request's usual headers."""

    environ: dict[str, Any]

    content_type = environ_text("CONTENT_TYPE", "The body's media type with its parameters (RFC 9110 §8.3).")
    content_encoding = environ_text("HTTP_CONTENT_ENCODING", "The body's codings (RFC 9110 §8.4).")
    content_md5 = environ_text("HTTP_CONTENT_MD5", "The body's MD5 digest in Base64 (RFC 1864).")
    referrer = environ_text("HTTP_REFERER", "The URL of the referring page (RFC 9110 §10.1.3).")
    date = environ_value("HTTP_DATE", parse_date, "The date of the message, or None if it is malformed.")
    max_forwards = environ_value(
        "HTTP_MAX_FORWARDS", _parse_number, "The number of proxies that may forward the request (RFC 9110 §7.6.2)."
    )
    pragma = environ_header("HTTP_PRAGMA", parse_set_header, "Directives, nearly always `no-cache` (RFC 9111 §5.4).")


class CommonResponseDescriptorsMixin(MediaType):
    """Attributes for a response's usual headers, which can be read, set and deleted."""

    headers: Headers

    location = header_property[str]("Location", doc="The target of a redirect (RFC 9110 §10.2.2).")
    age = header_property[timedelta]("Age", None, parse_age, dump_age, doc="The age in a cache (RFC 9111 §5.1).")
    content_type = header_property[str]("Content-Type", doc="The media type with its parameters (RFC 9110 §8.3).")
    content_length = header_property[int]("Content-Length", None, int, str, doc="The body's length in bytes (§8.6).")
    content_location = header_property[str]("Content-Location", doc="The URL of the content (RFC 9110 §8.7).")
    content_encoding = header_property[str]("Content-Encoding", doc="The body's codings (RFC 9110 §8.4).")
    content_md5 = header_property[str]("Content-MD5", doc="The body's MD5 digest in Base64 (RFC 1864).")
    date = header_property[datetime](
        "Date", None, parse_date, http_date, doc="The date of the message (RFC 9110 §6.6.1)."
    )
    expires = header_property[datetime](
        "Expires", None, parse_date, http_date, doc="When the response becomes stale (RFC 9111 §5.3)."
    )
    last_modified = header_property[datetime](
        "Last-Modified", None, parse_date, http_date, doc="The time of the last change (RFC 9110 §8.8.2)."
    )
    vary = live_header(
        "Vary", parse_set_header, "The request headers that the response depends on (RFC 9110 §12.5.5).", dump_header
    )
    content_language = live_header(
        "Content-Language", parse_set_header, "The languages of the audience (RFC 9110 §8.5).", dump_header
    )
    allow = live_header("Allow", parse_set_header, "The allowed methods (RFC 9110 §10.2.1).", dump_header)

    @property
    def retry_after(self) -> datetime | None:
        """The time to retry (RFC 9110 §10.2.3). It can be set to a number of seconds or a datetime."""
        value = self.headers.get("Retry-After")
        seconds = _parse_number(value)
        return parse_date(value) if seconds is None else datetime.now(UTC) + timedelta(seconds=seconds)

    @retry_after.setter
    def retry_after(self, value: datetime | int | str | None) -> None:
        if value is None:
            self.headers.remove("Retry-After")
        else:
            self.headers["Retry-After"] = http_date(value) if isinstance(value, datetime) else str(value)


def _mimetypes(raw: str | None) -> MIMEAccept:
    return parse_accept_header(raw, MIMEAccept)


def _charsets(raw: str | None) -> CharsetAccept:
    return parse_accept_header(raw, CharsetAccept)


def _encodings(raw: str | None) -> Accept:
    return parse_accept_header(raw, Accept)


def _languages(raw: str | None) -> LanguageAccept:
    return parse_accept_header(raw, LanguageAccept)


class AcceptMixin:
    """Attributes for the headers of content negotiation, each a list sorted by quality."""

    accept_mimetypes = environ_header("HTTP_ACCEPT", _mimetypes, "The accepted media types (RFC 9110 §12.5.1).")
    accept_charsets = environ_header("HTTP_ACCEPT_CHARSET", _charsets, "The accepted charsets (RFC 9110 §12.5.2).")
    accept_encodings = environ_header("HTTP_ACCEPT_ENCODING", _encodings, "The accepted codings (RFC 9110 §12.5.3).")
    accept_languages = environ_header("HTTP_ACCEPT_LANGUAGE", _languages, "The accepted languages (RFC 9110 §12.5.4).")


_NAME = "WWW-Authenticate"


class AuthorizationMixin:
    """An attribute for a request's credentials."""

    authorization = environ_header(
        "HTTP_AUTHORIZATION",
        Authorization.from_header,
        "The credentials (RFC 9110 §11.6.2), or None if they are absent or malformed.",
    )


class WWWAuthenticateMixin:
    """An attribute for a response's authentication challenges."""

    headers: Headers
    challenge_class: type[WWWAuthenticate] = WWWAuthenticate
    """The class of challenges."""

    @property
    def www_authenticate(self) -> WWWAuthenticate:
        """The first challenge (RFC 9110 §11.6.1), by default an empty one for Basic.

        Changes to it change the header.
        """
        challenge = self.challenge_class.from_header(self.headers.get(_NAME)) or self.challenge_class("basic")
        return self._watched(challenge)

    @www_authenticate.setter
    def www_authenticate(self, value: WWWAuthenticate | Sequence[WWWAuthenticate] | None) -> None:
        self.headers.remove(_NAME)
        if not value:
            return
        if isinstance(value, WWWAuthenticate):
            self.headers.add(_NAME, self._printed(self._watched(value)))
            return
        for challenge in value:
            self.headers.add(_NAME, self._printed(challenge))

    @www_authenticate.deleter
    def www_authenticate(self) -> None:
        self.headers.remove(_NAME)

    def _printed(self, challenge: WWWAuthenticate) -> str:
        if not isinstance(challenge, self.challenge_class):
            challenge = self.challenge_class(challenge.type, challenge.parameters, challenge.token)
        return challenge.to_header()

    def _watched(self, challenge: WWWAuthenticate) -> WWWAuthenticate:
        challenge._on_update = self._changed  # noqa: SLF001 - of this dialect
        return challenge

    def _changed(self, challenge: WWWAuthenticate) -> None:
        self.www_authenticate = challenge


class CORSRequestMixin:
    """Attributes for the headers of cross-origin requests."""

    origin = environ_text("HTTP_ORIGIN", "The origin of the page that sent the request, or None.")
    access_control_request_headers = environ_value(
        "HTTP_ACCESS_CONTROL_REQUEST_HEADERS",
        lambda raw: None if raw is None else parse_set_header(raw),
        "The headers that the actual request will contain.",
    )
    access_control_request_method = environ_text(
        "HTTP_ACCESS_CONTROL_REQUEST_METHOD", "The method that the actual request will use."
    )


class CORSResponseMixin:
    """Attributes for the headers that allow cross-origin requests."""

    headers: Headers

    @property
    def access_control_allow_credentials(self) -> bool:
        """True if pages on other sites may make requests with cookies and credentials."""
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
        "Access-Control-Max-Age", None, int, str, doc="How many seconds browsers may cache this permission."
    )


def _parse_policy(value: str | None, on_update: Callable[[ContentSecurityPolicy], None]) -> ContentSecurityPolicy:
    return parse_csp_header(value, on_update, ContentSecurityPolicy)


class PolicyMixin:
    """Attributes for a response's security policies."""

    headers: Headers

    content_security_policy = live_header(
        "Content-Security-Policy", _parse_policy, "The sources that a page may load content from."
    )
    content_security_policy_report_only = live_header(
        "Content-Security-Policy-Report-Only", _parse_policy, "A policy whose violations are reported but not blocked."
    )
    cross_origin_opener_policy = header_property[COOP](
        "Cross-Origin-Opener-Policy",
        COOP.UNSAFE_NONE,
        COOP,
        lambda policy: policy.value,
        doc="Whether the page is isolated from pages that open it.",
    )
    cross_origin_embedder_policy = header_property[COEP](
        "Cross-Origin-Embedder-Policy",
        COEP.UNSAFE_NONE,
        COEP,
        lambda policy: policy.value,
        doc="Which resources from other origins the page may embed.",
    )


class UserAgentMixin:
    """An attribute for User-Agent, as an instance of ``user_agent_class``."""

    environ: dict[str, Any]
    user_agent_class: type[UserAgent] = KnownUserAgent

    @lazy
    def user_agent(self) -> UserAgent:
        """The user agent (RFC 9110 §10.1.5). Its ``string`` is the header's value."""
        return self.user_agent_class(self.environ.get("HTTP_USER_AGENT", ""))


__all__ = ["UserAgent", "UserAgentMixin"]


class Request(
    AcceptMixin,
    ETagRequestMixin,
    UserAgentMixin,
    AuthorizationMixin,
    CORSRequestMixin,
    CommonRequestDescriptorsMixin,
    JSONTypeMixin,
    RequestHead,
):
    """The head of a request, with attributes for all usual headers: `werkzeug.sansio.request.Request`.

    Its ``environ`` is only a view of the headers.
    """


class Response(
    VersionMixin,
    WWWAuthenticateMixin,
    CORSResponseMixin,
    CommonResponseDescriptorsMixin,
    PolicyMixin,
    JSONTypeMixin,
    ResponseHead,
):
    """A response's status and headers, with attributes for all usual ones: `werkzeug.sansio.response.Response`."""

"""The request that pages and templates see: a native request with Asok's API, plus settings for the response."""

import os
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn, Self, cast
from urllib.parse import unquote

from antiphon import Request as NativeRequest
from antiphon import Response as NativeResponse
from antiphon.dialects.asok.config import env
from antiphon.dialects.asok.exceptions import (
    AbortException,
    ForbiddenError,
    NotFoundError,
    RedirectException,
    UnauthorizedError,
)
from antiphon.dialects.asok.languages import GeoLocation, language_of, location_of, translated
from antiphon.dialects.asok.request_state import RequestState
from antiphon.dialects.asok.response import HTML, TEXT, StatusCode, file_response, path_below
from antiphon.dialects.asok.templating.rendering import (
    Metadata,
    render_block,
    render_html,
    render_several,
    render_stream,
)
from antiphon.dialects.asok.uploads import UPLOADS, UploadedFile, static_url
from antiphon.embedding import lazy, make_environ
from antiphon.http import HTTPError, MutableHeaders, UserAgent
from antiphon.http.redirect import redirect_location
from antiphon.http.status import phrase

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from antiphon.dialects.asok.app import Asok
    from antiphon.dialects.asok.forms.form import Form


_UNKNOWN = "Unknown"


class Browser:
    """A browser: its ``name``, its operating system ``os``, and ``is_mobile``. ``raw`` is the full User-Agent."""

    def __init__(self, user_agent: UserAgent) -> None:
        self.raw = str(user_agent)
        self.name = user_agent.browser or _UNKNOWN
        self.os = user_agent.os or _UNKNOWN
        self.is_mobile = user_agent.is_mobile

    def __str__(self) -> str:
        return self.raw


_JSON = "application/json"


class QueryDict(dict[str, str]):
    """A dictionary with the last value of each name. ``getlist("tag")`` returns all values."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._pairs = [*pairs]
        super().__init__(self._pairs)

    def getlist(self, key: str, default: list[str] | None = None) -> list[str]:
        """Return all values for the given name, in order. If there are none, return ``default`` or an empty list."""
        return [value for name, value in self._pairs if name == key] or (default if default is not None else [])


def is_json(native: NativeRequest) -> bool:
    """Return True if the content type is JSON."""
    declared = native.head.field("content-type")
    if declared is None or declared == _JSON:
        return declared is not None
    content_type = native.content_type
    return content_type is not None and content_type.is_json


def json_body_of(native: NativeRequest) -> Any:
    """Return the content decoded from JSON; None if it has another type or is malformed."""
    if not is_json(native):
        return None
    try:
        return native.json
    except HTTPError as error:
        if error.status == 400:
            return None
        raise


class JsonAccessor(dict[str, Any]):
    """The members of the JSON object in a request. Calling it with data makes a JSON response."""

    def __init__(self, request: "Request") -> None:
        self._request = request
        if isinstance(request.json_body, dict):
            self.update(request.json_body)

    def __call__(self, data: Any = None, status: int = 200) -> str:
        """Return ``data``, by default the request's own, as JSON for a response with the given status.

        Raises TypeError with the type and location of a value that can't be encoded.
        """
        request = self._request
        if data is None:
            data = request.json_body if request.json_body is not None else {}
        request.content_type = _JSON
        if status != 200:
            request.status_code(status)
        from antiphon.embedding import encode_json  # imported late: it loads msgspec

        return encode_json(data).decode()


_KEY = "_asok_request"
keep = object.__setattr__
"""Set an attribute that the class of native requests does not declare."""


class Request(RequestState):
    """A request with Asok's API. ``native`` is the native request behind it.

    For tests, ``Request(environ)`` makes one from a WSGI environ. Its application is ``environ["asok.app"]``, or the
    one for the project in the current folder. ``content_type``, ``status_code`` and ``response_headers`` describe the
    future response.
    """

    content_type: str = HTML
    """The media type of the text that the page returns."""
    added_headers: list[tuple[str, str]] | None = None
    """The header fields of the future response; None until they are used."""
    own_status: int | None = None
    """The status if one was set, otherwise None."""

    page_context: Mapping[str, Any] = MappingProxyType({})
    """The variables for a page without a function, such as an error page."""

    def __init__(
        self, app: "Asok | WSGIEnvironment", native: NativeRequest | None = None, page_file: str | None = None
    ) -> None:
        if native is None:
            from antiphon.dialects.asok.testing import of_environ

            vars(self)["environ"] = environ = cast("WSGIEnvironment", app)
            app, native = of_environ(environ)
        self.app = cast("Asok", app)
        self.native = native
        self.page_file = page_file
        """The path of the file whose page handles the request, or None."""
        keep(native, _KEY, self)

    @classmethod
    def of(cls, app: "Asok", native: NativeRequest) -> "Request":
        """Return the Asok request for a native request, making it if there is none yet."""
        return cls.find(native) or cls(app, native)

    @staticmethod
    def find(native: NativeRequest) -> "Request | None":
        """Return the Asok request for a native request; None if there is none yet."""
        return cast("Request | None", getattr(native, _KEY, None))

    def let_go(self) -> None:
        """Remove this request from the native one after its page has returned.

        The two refer to each other, so otherwise only the garbage collector would free them.
        """
        keep(self.native, _KEY, None)

    # The request line and header

    @property
    def method(self) -> str:
        return self.native.method

    @property
    def path(self) -> str:
        """The path without the query: "/contact"."""
        return self.native.path

    @lazy
    def params(self) -> dict[str, Any]:
        """The values of the dynamic segments in the page's path, by name."""
        return {name: _read(value) for name, value in self.native.path_params.items()}

    @lazy
    def args(self) -> QueryDict:
        """The arguments in the query. The last of repeated names wins; ``getlist`` returns all of them."""
        return QueryDict(self.native.args.items())

    @property
    def raw_query_string(self) -> str:
        """The query as sent, without its question mark."""
        return self.native.query_string.decode("latin-1")

    @property
    def query_string(self) -> str:
        """The query, percent-decoded as a whole, without its question mark."""
        return unquote(self.raw_query_string)

    @lazy
    def environ(self) -> dict[str, Any]:
        """The environ that a WSGI server would provide, including the body, for code that needs one.

        It is available over every server interface. Changing it does not change the request.
        """
        environ: dict[str, Any] = make_environ(self.native)
        return environ | {"asok.app": self.app, "asok.root": self.app.root_dir}

    @lazy
    def headers(self) -> Mapping[str, str]:
        """The request's header fields, by case-insensitive name."""
        own = MutableHeaders.over(self.native.headers.items())  # whose KeyError, unlike the request's, is not a 400
        return cast("Mapping[str, str]", own)

    @lazy
    def cookies_dict(self) -> dict[str, str]:
        return dict(self.native.cookies)

    @property
    def cookies(self) -> dict[str, str]:
        return self.cookies_dict

    def cookie(self, name: str, default: Any = None) -> Any:
        """Return a cookie's value, or ``default`` if there is no such cookie."""
        return self.cookies_dict.get(name, default)

    # The body

    @property
    def body(self) -> bytes:
        return self.native.body

    @lazy
    def post_form(self) -> dict[str, Any]:
        """The fields of the form in the body, or the members of a JSON object. The last of repeated names wins."""
        if isinstance(self.json_body, dict):
            return dict(self.json_body)
        return dict(self.native.form.items())

    @lazy
    def form(self) -> dict[str, str]:
        """The query's arguments, overridden by the fields of the form in the body."""
        sent = dict(self.native.form.items())
        return {**self.args, **sent} if self.native.head.query_string else sent

    def old(self, name: str, default: Any = "") -> Any:
        """Return a field's sent value, or its value in the session's ``_old_input``, to display in the form again."""
        return self.form[name] if name in self.form else self.session.get("_old_input", {}).get(name, default)

    @property
    def errors(self) -> Mapping[str, str]:
        """The messages that the project has stored in the session as ``_errors``, by field name."""
        return cast("Mapping[str, str]", self.session.get("_errors", {}))

    def error(self, name: str) -> str:
        """Return the message for a field, or an empty string."""
        return self.errors.get(name, "")

    @lazy
    def files(self) -> dict[str, UploadedFile]:
        return {name: files[-1] for name, files in self._uploads.items()}

    @lazy
    def _uploads(self) -> dict[str, list[UploadedFile]]:
        uploads: dict[str, list[UploadedFile]] = {}
        for name, upload in self.native.files.items():
            if upload:
                uploads.setdefault(name, []).append(UploadedFile(upload, self.app.root_dir))
        return uploads

    def file(self, name: str) -> UploadedFile | None:
        """Return the file in a field, or None."""
        return self.files.get(name)

    def file_list(self, name: str | None = None) -> list[UploadedFile]:
        """Return the files in a field; without a name, those in all fields."""
        return [file for field, files in self._uploads.items() if name in (None, field) for file in files]

    @lazy
    def json_body(self) -> Any:
        """The body decoded from JSON; None if it has another type or is malformed."""
        return json_body_of(self.native)

    def get_json(self) -> Any:
        """Return the body decoded from JSON: see ``json_body``."""
        return self.json_body

    @property
    def is_json(self) -> bool:
        """True if the content type is JSON."""
        return is_json(self.native)

    @property
    def json(self) -> JsonAccessor:
        """The members of a JSON object. Call it to make a JSON response: ``request.json({"n": 42})``."""
        return JsonAccessor(self)

    def validate(
        self, rules_or_form: Any, data: Mapping[str, Any] | None = None, csrf: bool = True, raise_error: bool = True
    ) -> Any:
        """Return the sent values, or ``data``, if they satisfy the rules. Given a form or its class, return the form.

        Raises ValidationError if values are invalid; with ``raise_error=False``, returns False instead.
        """
        from antiphon.dialects.asok.validation.validator import validate

        return validate(self, rules_or_form, data, csrf, raise_error)

    # The client

    @property
    def ip(self) -> str:
        """The client's IP address. A proxy's header is trusted only if the proxy is in ``TRUSTED_PROXIES``."""
        return self.native.ip or ""

    @property
    def user_agent(self) -> str:
        """The User-Agent field as sent; empty if there is none."""
        return self.native.head.field("user-agent") or ""

    @property
    def scheme(self) -> str:
        return self.native.scheme

    @property
    def host(self) -> str:
        """The requested host, with the port if there was one; "localhost" if it is malformed."""
        return (self.native.head.field("host") or "localhost") if self.native.host else "localhost"

    @property
    def hostname(self) -> str:
        """The requested host, without a port."""
        return self.native.host or "localhost"

    @property
    def host_url(self) -> str:
        """The root of the site, with a trailing slash."""
        return f"{self.scheme}://{self.host}/"

    @property
    def base_url(self) -> str:
        """The complete URL without the query."""
        return f"{self.scheme}://{self.host}{self.path}"

    @property
    def url(self) -> str:
        return f"{self.base_url}?{self.raw_query_string}" if self.raw_query_string else self.base_url

    @property
    def full_url(self) -> str:
        return self.url

    @lazy
    def browser(self) -> Browser:
        """The browser according to the User-Agent: its ``name``, its operating system ``os``, and ``is_mobile``."""
        return Browser(self.native.user_agent)

    @lazy
    def location(self) -> GeoLocation:
        """The client's location from ``.asok/geo.csv``, such as ``request.location["city"]``; "Unknown" if missing."""
        return location_of(self)

    @property
    def geo(self) -> GeoLocation:
        """The client's location: see ``location``."""
        return self.location

    # The context

    env = env
    """The environment variables: ``request.env("DEBUG")`` is True for "true"."""

    @property
    def lang(self) -> str:
        """The language from ``?lang=``, the ``asok_lang`` cookie, Accept-Language or ``LOCALE``, in this order.

        You can set it for this request. Raises ValueError if the project has no messages in that language.
        """
        return language_of(self)

    @lang.setter
    def lang(self, tag: str) -> None:
        self.native.language.tag = tag

    def __(self, key: str, **values: object) -> str:
        """Return the message for a key in the request's language, with its placeholders filled in."""
        return translated(self, key, values)

    def shared(self, name: str, _expected_type: type[Any] | None = None) -> Any:
        """Return a value shared with all templates or with those of this request; None if there is none."""
        return self.own_shared[name] if name in self.own_shared else self.native.shared.get(name)

    def shared_form(self, name: str) -> "Form":
        """Return this request's own copy of the shared form with the given name. Raises KeyError if there is none."""
        form = self.shared(name)
        if form is None:
            raise KeyError(f"no form is shared as {name!r}: app.share({name}=Form(...))")
        return cast("Form", form)

    def share(self, name: str, value: Any = None) -> Any:
        """Share a value with this request's templates. If no value is given, return the shared one."""
        if value is None:
            return self.shared(name)
        self.own_shared[name] = value
        return ""

    @lazy
    def own_shared(self) -> dict[str, Any]:
        """The values shared only with this request's templates."""
        return {}

    def static(self, filepath: str) -> str:
        """Return the URL of a file in ``src/partials``, such as "css/site.css", with a hash of its contents."""
        return static_url(self, filepath)

    # The future response

    @property
    def status_code(self) -> StatusCode:
        """The current status. Call it to set the status: ``request.status_code(201)``."""
        return StatusCode.of(self, 200 if self.own_status is None else self.own_status)

    @status_code.setter
    def status_code(self, code: int) -> None:
        if not 200 <= code <= 599:
            raise ValueError(f"a response's status must be from 200 to 599, not {code}")
        self.own_status = int(code)

    @property
    def code(self) -> int:
        return 200 if self.own_status is None else self.own_status

    @property
    def status(self) -> str:
        """The current status, with its phrase: "404 Not Found"."""
        return f"{self.code} {phrase(self.code)}"

    @status.setter
    def status(self, line: str) -> None:
        self.status_code = int(line.partition(" ")[0])

    @property
    def response_headers(self) -> list[tuple[str, str]]:
        """The header fields to be sent with the response."""
        if self.added_headers is None:
            self.added_headers = []
        return self.added_headers

    def header(self, name: str, value: str) -> Self:
        """Add a header field to the response and return the request."""
        self.response_headers.append((name, value))
        return self

    # Responses

    def html(self, filepath: str, *values: Mapping[str, Any], **context: Any) -> str:
        """Render a template, or only the blocks that the request lists in ``X-Block``, and return the text.

        Keyword arguments override the values in a mapping.
        """
        return render_html(self, filepath, {**values[0], **context} if values else context)

    def block(self, filepath: str, block_name: str | None = None, **context: Any) -> str:
        """Render one block of a template and return the text. Raises ValueError if no block name is given."""
        return render_block(self, filepath, block_name, context)

    def blocks(self, filepath: str, block_names: Iterable[str], **context: Any) -> str:
        """Render blocks of a template, each in its own element if the request asks for blocks, and return the text."""
        return render_several(self, filepath, block_names, context)

    def stream(self, filepath: str, **context: Any) -> Iterator[str]:
        """Render a template in chunks, which are sent as they are rendered."""
        return render_stream(self, filepath, context)

    render_template = html
    render_block = block
    render_blocks = blocks

    @lazy
    def meta(self) -> Metadata:
        """The title, description and other tags of the page's head."""
        return Metadata()

    def text(self, content: str = "", status: int = 200) -> str:
        self.content_type = TEXT
        if status != 200:
            self.status_code(status)
        return str(content)

    def api(self, data: Any, status: int = 200) -> str:
        """Return JSON with the data and the status, for a response with that status."""
        return self.json({"data": data, "status": status}, status)

    def api_error(self, message: str, status: int = 400, errors: Mapping[str, Any] | None = None) -> str:
        """Return JSON with an error message and the status, for a response with that status."""
        more = {} if errors is None else {"errors": errors}
        return self.json({"error": message, "status": status, **more}, status)

    def send_file(
        self,
        filepath: str | os.PathLike[str],
        filename: str | None = None,
        as_attachment: bool = True,
        base_dir: str | os.PathLike[str] | None = None,
    ) -> NativeResponse:
        """Return the file at a path, as a download or, with ``as_attachment=False``, for display in the browser.

        It is sent under its own name unless another is given.

        The file must be below ``base_dir``, by default the project's ``src/partials/uploads``. Its path is absolute, or
        relative to that folder. Raises NotFound (404) for a path outside of it, even through a link.
        """
        folder = os.path.join(self.app.root_dir, UPLOADS if base_dir is None else base_dir)
        return file_response(path_below(folder, os.fspath(filepath)), filename, as_attachment)

    # Ending the request

    def redirect(self, url: str, safe: bool = True) -> NoReturn:
        """End the request with a redirect (302).

        Raises RedirectException, so nothing after it runs, or ValueError for a URL of another site unless ``safe`` is
        False.
        """
        if safe:
            url = redirect_location(url, external=url.startswith(self.host_url))
        raise RedirectException(url)

    def back(self, default: str = "/") -> NoReturn:
        """End the request with a redirect to the previous page (Referer) if that is on this site, or to ``default``.

        Raises RedirectException.
        """
        raise RedirectException(redirect_location(self.native.referrer, False, default, self.native.url.origin))

    def abort(self, code: int, message: str | None = None) -> NoReturn:
        """End the request with an error. Raises AbortException."""
        raise AbortException(code, message)

    def abort_404(self, message: str | None = "The requested resource was not found") -> NoReturn:
        """End the request with a 404 error. Raises NotFoundError."""
        raise NotFoundError(message)

    def abort_403(self, message: str | None = "You do not have permission to access this resource") -> NoReturn:
        """End the request with a 403 error. Raises ForbiddenError."""
        raise ForbiddenError(message)

    def abort_401(self, message: str | None = "Authentication is required to access this resource") -> NoReturn:
        """End the request with a 401 error. Raises UnauthorizedError."""
        raise UnauthorizedError(message)

    def method_not_allowed(self, allowed: Iterable[str], message: str | None = None) -> NoReturn:
        """End the request with 405, and list the allowed methods. Raises AbortException."""
        listed = ", ".join(allowed)
        error = AbortException(405, message or f"Method {self.method} not allowed. Supported methods: {listed}")
        error.headers["allow"] = listed
        try:
            raise error
        finally:
            del error  # the error refers to this frame

    def not_found(self, message: str | None = None) -> NoReturn:
        """End the request with 404. Raises NotFoundError."""
        raise NotFoundError(message)

    def forbidden(self, message: str | None = None) -> NoReturn:
        """End the request with 403. Raises AbortException."""
        raise AbortException(403, message)

    def unauthorized(self, message: str | None = None) -> NoReturn:
        """End the request with 401. Raises AbortException."""
        raise AbortException(401, message)


def _read(value: Any) -> Any:
    """Return a dynamic segment's value as Asok provides it: a UUID becomes text."""
    return str(value) if type(value).__name__ == "UUID" else value

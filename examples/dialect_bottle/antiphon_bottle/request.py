"""The request, with Bottle's names: fields, files, cookies and headers."""

import os
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from io import BytesIO
from typing import Any

from antiphon import MultiDict, Upload
from antiphon import Request as NativeRequest
from antiphon.embedding import RequestLocal, make_environ
from antiphon.http import BadRequest, ContentTooLarge, parse_query

_JSON = ("application/json", "application/json-rpc")
_URLENCODED, _IN_PARTS = "application/x-www-form-urlencoded", "multipart/form-data"


def _latin1(value: Any) -> Any:
    """Return text in Bottle's default form: its UTF-8 bytes as Latin-1 characters."""
    return value.encode("utf-8", "replace").decode("latin-1") if isinstance(value, str) else value


class FormsDict(Mapping[str, Any]):
    """Values by name. The last one wins. Attributes are decoded, and "" if missing."""

    def __init__(self, values: MultiDict[Any] | list[tuple[str, Any]] = ()) -> None:  # type: ignore[assignment]
        self._values: MultiDict[Any] = MultiDict(values.items() if isinstance(values, Mapping | MultiDict) else values)

    def __getitem__(self, name: str) -> Any:
        return _latin1(self._values[name])

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(self._values.keys()))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.getunicode(name, "")

    def get(self, name: str, default: Any = None, index: int = -1, type: Callable[[Any], Any] | None = None) -> Any:
        """Return a value, converted by ``type``, or the default if it is missing or can't be converted."""
        try:
            value = _latin1(self._values.getall(name)[index])
            return value if type is None else type(value)
        except (LookupError, ValueError):
            return default

    def getall(self, name: str) -> list[Any]:
        """Return all values of a name."""
        return [_latin1(value) for value in self._values.getall(name)]

    getlist = getall

    def getunicode(self, name: str, default: Any = None) -> Any:
        """Return a value as decoded text."""
        return self._values.get(name, default)

    def decode(self) -> dict[str, Any]:
        """Return the values as decoded text."""
        return {name: self._values[name] for name in self}


class FileUpload:
    """A file of a form."""

    def __init__(self, native: Upload) -> None:
        self.file = native
        self.name = native.name
        self.raw_filename = native.filename
        self.filename = native.safe_filename
        self.content_type = native.mimetype
        self.headers = native.headers

    def save(self, destination: str, overwrite: bool = False) -> None:
        """Write the file to a path, or under its name into a folder. Raises OSError if the file already exists."""
        path = os.path.join(destination, self.filename) if os.path.isdir(destination) else destination
        self.file.save(path, overwrite=overwrite)


class Request:
    """One request."""

    def __init__(self, native: NativeRequest) -> None:
        self.native = native
        self.method = native.method
        self.path = "/" + native.path.lstrip("/")
        self.query_string = native.query_string.decode("latin-1")
        self.headers = native.headers
        self.content_type = native.headers.get("content-type", "").lower()
        self.content_length = native.content_length or -1
        self.url_args: dict[str, Any] = {}

    @cached_property
    def environ(self) -> Any:
        """The environ of PEP 3333."""
        return make_environ(self.native)

    @property
    def url(self) -> str:
        """The whole URL."""
        return str(self.native.url)

    @property
    def script_name(self) -> str:
        """The prefix of the application, between slashes."""
        return f"/{self.native.root_path.strip('/')}/" if self.native.root_path.strip("/") else "/"

    @property
    def remote_addr(self) -> str | None:
        """The address of the client."""
        return self.native.client.host if self.native.client else None

    @property
    def is_xhr(self) -> bool:
        """True if a script says that it sent the request."""
        return self.get_header("X-Requested-With", "").lower() == "xmlhttprequest"

    @property
    def auth(self) -> tuple[str, str] | None:
        """The name and the password of HTTP Basic."""
        scheme, _, encoded = self.get_header("Authorization", "").partition(" ")
        try:
            name, _, password = b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            return None
        return (name, password) if scheme.lower() == "basic" else None

    @cached_property
    def query(self) -> FormsDict:
        """The fields of the query."""
        return FormsDict(self.native.args)

    @property
    def GET(self) -> FormsDict:  # noqa: N802 - Bottle's name
        """The fields of the query."""
        return self.query

    @cached_property
    def forms(self) -> FormsDict:
        """The fields of the form. A malformed or too large form is answered with 400 or 413."""
        return FormsDict(self._form)

    @property
    def _form(self) -> list[tuple[str, str]]:
        if self.native.mimetype in (_URLENCODED, _IN_PARTS):
            return self.native.form.items()
        try:
            return parse_query(self.native.body, self.native.limits.fields)  # Bottle reads any other body as a form
        except ValueError:
            raise ContentTooLarge from None

    @cached_property
    def files(self) -> FormsDict:
        """The files of the form."""
        files = self.native.files.items() if self.native.mimetype == _IN_PARTS else []
        return FormsDict([(name, FileUpload(file)) for name, file in files])

    @cached_property
    def params(self) -> FormsDict:
        """The fields of the query and of the form."""
        return FormsDict([*self.native.args.items(), *self._form])

    @property
    def json(self) -> Any:
        """The value of a JSON body, or None for another type and for an empty body."""
        if self.native.mimetype not in _JSON or not self.native.body:
            return None
        try:
            return self.native.json
        except BadRequest:
            raise BadRequest("Invalid JSON") from None

    @cached_property
    def body(self) -> BytesIO:
        """The body as a file."""
        return BytesIO(self.native.body)

    @cached_property
    def cookies(self) -> FormsDict:
        """The cookies."""
        return FormsDict([*self.native.cookies.items()])

    def get_cookie(self, key: str, default: Any = None, secret: Any = None) -> Any:
        """Return a cookie's value. Signed cookies are not read, since Bottle unpickles them."""
        if secret:
            raise NotImplementedError("this dialect reads no signed cookies: keep a session instead")
        return self.cookies.get(key) or default

    def get_header(self, name: str, default: Any = None) -> Any:
        """Return a header field."""
        return self.headers.get(name, default)


request: Any = RequestLocal(Request)

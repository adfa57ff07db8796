"""The request classes: one that stores additional attributes in the environ, and one that does not."""

from abc import ABCMeta
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from antiphon.dialects.webob.environ_properties import upath_property
from antiphon.dialects.webob.request.blank import environ_from_url, set_base, set_form
from antiphon.dialects.webob.request.charsets import codec_of, named_charset
from antiphon.dialects.webob.request.head import NoDefault
from antiphon.dialects.webob.request.header_fields import HeaderFields
from antiphon.dialects.webob.request.message import RequestMessage
from antiphon.dialects.webob.request.sending import RequestSending
from antiphon.dialects.webob.request.target import RequestTarget, RoutingArguments, quoted
from antiphon.dialects.webob.request.transcoding import RequestTranscoding

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_ABSENT: Any = object()
_NOTHING: Mapping[str, Any] = {}


class BaseRequest(RequestSending, RequestMessage, RequestTranscoding, RequestTarget, RoutingArguments, HeaderFields):
    """A WSGI environ as an object, whose attributes are read and set directly in the environ."""

    _setattr_stacklevel = 2

    def __init__(
        self,
        environ: "WSGIEnvironment",
        charset: str | None = None,
        unicode_errors: object = None,
        decode_param_names: object = None,
        **kw: Any,
    ) -> None:
        if type(environ) is not dict:
            raise TypeError(f"a request is made from a WSGI environ, which is a dict, not from {environ!r:.200}")
        self.__dict__["environ"] = environ
        if unicode_errors is not None or decode_param_names is not None:
            _warn_of_old_parameters()
        if kw:
            self._set_attributes(kw)
        if charset is not None:
            self.charset = charset

    def _set_attributes(self, values: dict[str, Any]) -> None:
        if "method" in values:
            self.method = values.pop("method")
        for name, value in values.items():
            if not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} has no attribute {name!r} that could be given")
            setattr(self, name, value)

    @classmethod
    def blank(
        cls,
        path: str = "/",
        environ: "WSGIEnvironment | None" = None,
        base_url: str | None = None,
        headers: Any = None,
        POST: Any = None,  # noqa: N803 - its name
        **kw: Any,
    ) -> Self:
        """Return a GET request for a URL or a path, percent-encoded; a POST request if ``POST`` has its form or body.

        ``base_url`` is that of the application. Keys of ``environ`` override generated ones; other keywords are
        attributes to set. Raises TypeError and ValueError for a URL that a request can't have.
        """
        made = environ_from_url(path)
        if base_url:
            set_base(made, base_url)
        made.update(environ or {})
        content_type = kw.get("content_type", made.get("CONTENT_TYPE"))
        if headers and "Content-Type" in headers:
            content_type = headers["Content-Type"]
        if content_type is not None:
            kw["content_type"] = content_type
        if POST is not None:
            set_form(made, POST, content_type, codec_of(named_charset(kw.get("charset"))))
            kw.pop("content_type", None)
        written = made.get("CONTENT_TYPE")
        request = cls(made, **kw)
        if headers is not None:
            request.headers.update(headers)
        if POST is not None:
            request.environ["CONTENT_TYPE"] = written  # which has the boundary of parts
        return request

    def copy(self) -> Self:
        """Return a request with its own environ and body. Other values of the environ are shared."""
        self.make_body_seekable()
        copied = self.__class__(self._copied_environ())
        copied.copy_body()
        self.body_file_raw.seek(0)
        return copied

    def copy_get(self) -> Self:
        """Return a GET request without a body, and otherwise with a copy of the environ."""
        return self.__class__(self._copied_environ(), method="GET", content_type=None, body=b"")

    def _copied_environ(self) -> "WSGIEnvironment":
        environ = self.environ.copy()
        if attributes := environ.get("webob.adhoc_attrs"):
            environ["webob.adhoc_attrs"] = {**attributes}
        return environ

    def __repr__(self) -> str:
        try:
            target = f"{self.method} {self.url}"
        except KeyError:
            target = "(invalid WSGI environ)"
        except UnicodeDecodeError:
            target = f"{self.method} {quoted(self.environ.get('SCRIPT_NAME', '') + self.environ['PATH_INFO'])}"
        return f"<{type(self).__name__} at 0x{id(self):x} {target}>"


def _warn_of_old_parameters() -> None:
    from warnings import warn

    warn("unicode_errors and decode_param_names have no effect since WebOb 1.2", DeprecationWarning, stacklevel=3)


class LegacyRequest(BaseRequest):
    """A request whose paths are as the environ has them, with text under ``uscript_name`` and ``upath_info``."""

    uscript_name = upath_property("SCRIPT_NAME")
    upath_info = upath_property("PATH_INFO")

    def encget(self, key: str, default: Any = NoDefault, encattr: str | None = None) -> Any:  # noqa: ARG002
        """Return a value of the environ as it is. Raises KeyError without a value and a default."""
        value = self.environ.get(key, default)
        if value is NoDefault:
            raise KeyError(key)
        return value


class AdhocAttrMixin:
    """A request that stores attributes that its class does not have in the environ, for all requests over it."""

    _setattr_stacklevel = 3
    if TYPE_CHECKING:
        environ: "WSGIEnvironment"

    def __setattr__(self, attr: str, value: object) -> None:
        if attr[0] == "_" or getattr(self.__class__, attr, _ABSENT) is not _ABSENT:
            object.__setattr__(self, attr, value)
        else:
            self.environ.setdefault("webob.adhoc_attrs", {})[attr] = value

    def __getattr__(self, attr: str) -> Any:
        own = self.__dict__.get("environ", _NOTHING).get("webob.adhoc_attrs", _NOTHING)
        if attr in own:
            return own[attr]
        if getattr(self.__class__, attr, _ABSENT) is _ABSENT:
            raise _no_attribute(self, attr)
        # A property of the class has raised AttributeError, which must be visible.
        return object.__getattribute__(self, attr)

    def __delattr__(self, attr: str) -> None:
        if getattr(self.__class__, attr, _ABSENT) is not _ABSENT:
            object.__delattr__(self, attr)
            return
        try:
            del self.environ["webob.adhoc_attrs"][attr]
        except KeyError:
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {attr!r}", name=attr, obj=self
            ) from None


def _no_attribute(request: object, name: str) -> AttributeError:
    return AttributeError(f"{type(request).__name__!r} object has no attribute {name!r}", name=name, obj=request)


class Request(AdhocAttrMixin, BaseRequest, metaclass=ABCMeta):
    """A WSGI environ as an object. Your own attributes are stored in the environ, too.

    Requests of other libraries that have all of its attributes can be registered as its subclasses.
    """

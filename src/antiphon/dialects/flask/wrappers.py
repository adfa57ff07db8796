"""Flask's request and response, which extend Werkzeug's with the application's rules and settings."""

from typing import TYPE_CHECKING, Any

from antiphon.dialects.flask.globals import _cv_app
from antiphon.dialects.flask.helpers import parents_of
from antiphon.dialects.flask.imports import deferred, reexports
from antiphon.dialects.werkzeug.exceptions.base import BadRequest
from antiphon.dialects.werkzeug.wrappers.request import Request as RequestBase
from antiphon.dialects.werkzeug.wrappers.response import Response as ResponseBase

if TYPE_CHECKING:
    from antiphon.dialects.werkzeug.exceptions.base import HTTPException
    from antiphon.dialects.werkzeug.routing.rules import Rule

_app = _cv_app.get


class _Limit:
    """A request attribute that defaults to an application setting."""

    def __init__(self, key: str, default: int | None) -> None:
        self.key = key
        self.default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = f"_{name}"

    def __get__(self, request: Any, owner: type) -> Any:
        if request is None:
            return self
        if (own := request.__dict__.get(self.name)) is not None:
            return own
        ctx = _app()
        return self.default if ctx is None else ctx.app.config[self.key]

    def __set__(self, request: Any, value: int | None) -> None:
        request.__dict__[self.name] = value


def _json() -> Any:
    from antiphon.dialects.flask import json

    return json


class Request(RequestBase):
    """A request, with the rule that it matched."""

    json_module: Any = deferred(_json)
    """The JSON module for the body: this package's or, in a context, the application's provider."""
    url_rule: "Rule | None" = None
    """The rule that matched; None if no rule matched."""
    view_args: dict[str, Any] | None = None
    """The values of the rule's variables; None if no rule matched."""
    routing_exception: "HTTPException | None" = None
    """The exception for a request that matches no rule. It is raised when the request is dispatched."""

    max_content_length: int | None = _Limit("MAX_CONTENT_LENGTH", None)  # type: ignore[assignment]
    """The maximum size of a body in bytes, by default MAX_CONTENT_LENGTH.

    A larger body raises RequestEntityTooLarge.
    """
    max_form_memory_size: int | None = _Limit("MAX_FORM_MEMORY_SIZE", 500_000)  # type: ignore[assignment]
    """The maximum size of a multipart form's fields in bytes, by default MAX_FORM_MEMORY_SIZE."""
    max_form_parts: int | None = _Limit("MAX_FORM_PARTS", 1_000)  # type: ignore[assignment]
    """The maximum number of parts in a form, by default MAX_FORM_PARTS."""

    @property
    def endpoint(self) -> str | None:
        """The endpoint that matched; None if no rule matched."""
        return None if self.url_rule is None else self.url_rule.endpoint

    @property
    def blueprint(self) -> str | None:
        """The name under which the endpoint's blueprint is registered; None outside of blueprints."""
        endpoint = self.endpoint
        return endpoint.rpartition(".")[0] if endpoint is not None and "." in endpoint else None

    @property
    def blueprints(self) -> list[str]:
        """The names of the blueprint and its parents, innermost first."""
        name = self.blueprint
        return [] if name is None else parents_of(name)

    def _load_form_data(self) -> None:
        if "form" in self.__dict__:
            return
        super()._load_form_data()
        ctx = _app()
        if ctx is not None and ctx.app.debug and self.mimetype != "multipart/form-data" and not self.files:
            from antiphon.dialects.flask.debughelpers import attach_enctype_error_multidict

            attach_enctype_error_multidict(self)

    def on_json_loading_failed(self, e: ValueError | None) -> Any:
        """Raise BadRequest, with details in debug mode, or UnsupportedMediaType."""
        try:
            return super().on_json_loading_failed(e)
        except BadRequest as error:
            ctx = _app()
            if ctx is not None and ctx.app.debug:
                raise
            raise BadRequest from error


class Response(ResponseBase):
    """A response. Its media type is HTML unless another is given."""

    default_mimetype: str | None = "text/html"
    json_module: Any = deferred(_json)
    """The JSON module: the application's provider."""

    @property
    def max_cookie_size(self) -> int:  # type: ignore[override]
        """The cookie size in bytes above which a warning is given (MAX_COOKIE_SIZE)."""
        ctx = _app()
        size: int = ResponseBase.max_cookie_size if ctx is None else ctx.app.config["MAX_COOKIE_SIZE"]
        return size


if not TYPE_CHECKING:
    __getattr__ = reexports(__name__)

"""Other frameworks' terms and their Antiphon equivalents, as defined by dialects, for reading their views."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from antiphon import HTTPError, Response, abort
from antiphon.features.openapi.code.annotations import is_proxy
from antiphon.features.openapi.code.responses import ANY, HTML, JSON
from antiphon.features.openapi.code.values import (
    TEXT,
    UNKNOWN,
    Bound,
    Known,
    Local,
    Of,
    ResponseValue,
    TheRequest,
    Value,
)

Meaning: TypeAlias = Literal["request", "abort", "json", "redirect", "page", "file"]
_MEANINGS: Mapping[Meaning, Value] = {
    "request": TheRequest(),
    "abort": Known(abort),
    "json": Bound(Known(Response), Response.json, "json"),
    "redirect": Local(ResponseValue((302,), headers=("location",))),
    "page": Local(ResponseValue((200,), HTML, TEXT)),
    "file": Local(ResponseValue((200,), ANY, Of(bytes), is_conditional=True)),
}


@dataclass(frozen=True)
class DescribedApp:
    """The routes of another framework's application, and what the framework's terms mean in its views."""

    class Route(NamedTuple):
        """A route. The pattern is in Antiphon's syntax: ``/lamps/<int:number>``."""

        pattern: str
        methods: Sequence[str]
        name: str
        view: Callable[..., object]
        host: str | None = None
        blueprint: str | None = None
        renders: str = JSON
        """The media type of a dict or list that the view returns."""

    routes: Sequence[Route]
    meanings: Mapping[Meaning, Iterable[object]] = field(default_factory=dict)
    """The framework's objects, such as its ``abort``, and their Antiphon equivalents."""
    errors: Mapping[type[BaseException], int] = field(default_factory=dict)
    """The framework's error classes, and their statuses."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """The names of attributes of the framework's request, and Antiphon's names for them."""
    gives_request: bool = False
    """True if views are called with the request."""
    text: str = HTML
    """The media type of text that a view returns."""
    route_of: "Callable[[str, str, str], str | None]" = field(default=lambda _method, _host, _path: None)
    """A function that returns the name of the route for a method, a host and a path; None if there is no route."""


class Words:
    """A framework's terms, for reading its views. Antiphon's own terms stand for themselves."""

    def __init__(self, described: DescribedApp | None = None) -> None:
        self.decodes = described is None
        """True if content codings of requests are decoded."""
        self._stand_ins: dict[int, Value] = {}
        self.attributes: Mapping[str, str] = {}
        self.given: list[Value] = [TheRequest()]
        if described is None:
            return
        self.attributes = described.attributes
        self.given = [TheRequest()] if described.gives_request else []
        for meaning, objects in described.meanings.items():
            self._stand_ins |= {id(each): _MEANINGS[meaning] for each in objects}
        self._stand_ins |= {
            id(kind): Known(HTTPError.by_status.get(status, kind)) for kind, status in described.errors.items()
        }

    def meant_by(self, value: Value) -> Value:
        """Return the value that a value stands for, usually the value itself; UNKNOWN for a proxy without a meaning."""
        if not isinstance(value, Known):
            return value
        meant = self._stand_ins.get(id(value.value), value)
        return UNKNOWN if meant is value and is_proxy(value.value) else meant

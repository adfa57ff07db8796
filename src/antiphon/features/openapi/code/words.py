"""The terms of other frameworks that stand for ours, as their dialects define them, for the reader of their views."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from antiphon.features.openapi.code.responses import ANY, HTML, JSON
from antiphon.features.openapi.code.values import TEXT, Answer, Bound, Known, Local, Of, TheRequest, Value
from antiphon.http.errors import ERRORS, abort
from antiphon.response.response import Response

Meaning: TypeAlias = Literal["request", "abort", "json", "redirect", "page", "file"]
_MEANINGS: Mapping[Meaning, Value] = {
    "request": TheRequest(),
    "abort": Known(abort),
    "json": Bound(Known(Response), Response.json, "json"),
    "redirect": Local(Answer((302,), headers=("location",))),
    "page": Local(Answer((200,), HTML, TEXT)),
    "file": Local(Answer((200,), ANY, Of(bytes), is_conditional=True)),
}


class DescribedRoute(NamedTuple):
    """A route of another framework's application. The pattern is in our syntax: ``/lamps/<int:number>``."""

    pattern: str
    methods: Sequence[str]
    name: str
    view: Callable[..., object]
    host: str | None = None
    blueprint: str | None = None
    renders: str = JSON
    """The media type of a dict or a list that the view returns."""


@dataclass(frozen=True)
class DescribedApp:
    """The routes of another framework's application, and the meaning of the framework's terms in its views."""

    routes: Sequence[DescribedRoute]
    meanings: Mapping[Meaning, Iterable[object]] = field(default_factory=dict)
    """Objects of the framework, such as its ``abort``, with ours that they stand for."""
    errors: Mapping[type[BaseException], int] = field(default_factory=dict)
    """Classes of the framework's errors, with their statuses."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Names of attributes of the framework's request, with ours."""
    gives_request: bool = False
    """True if views are called with the request."""
    text: str = HTML
    """The media type of text that a view returns."""


class Words:
    """The terms of a framework, for the reader of its views. Our own terms mean themselves."""

    def __init__(self, described: DescribedApp | None = None) -> None:
        self._stand_ins: dict[int, Value] = {}
        self.attributes: Mapping[str, str] = {}
        self.given: list[Value] = [TheRequest()]
        if described is None:
            return
        self.attributes = described.attributes
        self.given = [TheRequest()] if described.gives_request else []
        for meaning, objects in described.meanings.items():
            self._stand_ins |= {id(each): _MEANINGS[meaning] for each in objects}
        self._stand_ins |= {id(kind): Known(ERRORS.get(status, kind)) for kind, status in described.errors.items()}

    def meant_by(self, value: Value) -> Value:
        """Return the value that a value stands for, usually the value itself."""
        if self._stand_ins and isinstance(value, Known):
            return self._stand_ins.get(id(value.value), value)
        return value

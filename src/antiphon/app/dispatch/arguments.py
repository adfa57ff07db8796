"""The arguments of handlers: the request, and the route parameters that the handler declares."""

from collections.abc import Callable, Collection, Coroutine, Mapping
from functools import partial
from types import MappingProxyType, UnionType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from antiphon.explanations import explained
from antiphon.explanations.naming import WORDS
from antiphon.handler.callables import check_arguments, describe, innermost, signature_of
from antiphon.request.request import Request
from antiphon.routing.converters import CONVERTERS
from antiphon.routing.pattern import Parameter

if TYPE_CHECKING:
    from inspect import Parameter as Argument


class Arguments(NamedTuple):
    """The arguments that a handler accepts besides the request."""

    annotations: Mapping[str, Any]
    """The annotations by argument name; ``inspect.Parameter.empty`` if there is none."""
    required: Collection[str]
    """The names of arguments without a default."""
    takes_all: bool
    """True if the handler accepts arguments with any name."""
    defaults: Mapping[str, Any] = MappingProxyType({})
    """The defaults of the handler's own arguments, except those that a partial has set."""
    first: str = "request"
    """The name of the first argument, the request, unless it is annotated."""

    def given_by(self, parameters: Collection[str]) -> list[str]:
        """Return the route parameters that the handler accepts."""
        return [name for name in parameters if self.takes_all or name in self.annotations]

    def check(
        self, handler: Callable[..., Any], where: str, parameters: list[Parameter], defaults: Collection[str]
    ) -> None:
        """Check the arguments against a route's parameters and defaults.

        Raises TypeError, with the handler and the fix, for an argument that isn't a parameter, for a first argument
        with a parameter's name, and for an annotation that no value of the parameter can match.
        """
        known = [*dict.fromkeys([*(part.name for part in parameters), *defaults])]
        if self.first != "request" and self.first in known:
            raise explained(
                "wrong-arguments",
                f"{describe(handler)} takes the request as {self.first!r}, which is a parameter of {where}:"
                f" write (request, {self.first})",
                TypeError,
            )
        for name in self.required:
            if name not in known:
                has = ", ".join(known) or "none"
                fix = _reading(name, resolved(self.annotations[name], handler))
                raise explained(
                    "unknown-parameter",
                    f"{describe(handler)} takes {name!r}, which is not a parameter of {where}, which has {has}{fix}",
                    TypeError,
                )
        for part in parameters:
            annotation = resolved(self.annotations.get(part.name, Any), handler)
            if not _agrees(annotation, part.converter.value_type):
                raise explained(
                    "wrong-annotation",
                    f"{describe(handler)} takes {part.name} as {shown(annotation)}, and {_fix(annotation, part)}",
                    TypeError,
                )


NO_ARGUMENTS = Arguments({}, (), False)


def arguments_of(handler: Callable[..., Any], given: Collection[str] = ("request",)) -> Arguments:
    """Return the arguments that a handler accepts besides the ``given`` positional ones, of which the first is the
    request.

    If a decorator passes on arbitrary arguments, the decorated function's arguments are included. Raises TypeError,
    with the handler's name, if the handler can't be called with the given arguments.
    """
    _check_function(handler)
    parameters = _parameters(handler)
    annotations, required, takes_all = _described(parameters[len(given) :])
    _check_request(handler, parameters)
    if len(parameters) < len(given) or any(each.kind is not each.POSITIONAL_OR_KEYWORD for each in parameters):
        check_arguments(handler, *given, **dict.fromkeys(required, ""))
    inner = handler
    while takes_all and (wrapped := _wrapped(inner)) is not None:
        inner = wrapped
        more, _, takes_all = _described(_parameters(inner)[len(given) :])
        annotations = {**more, **annotations}
    first = next((each.name for each in parameters[:1] if each.annotation is each.empty), "request")
    if not (annotations or takes_all) and first == "request":
        return NO_ARGUMENTS
    return Arguments(annotations, required, takes_all, _defaults(handler, parameters[len(given) :]), first)


def _defaults(handler: Callable[..., Any], others: "list[Argument]") -> dict[str, Any]:
    bound = handler.keywords if isinstance(handler, partial) else ()
    return {each.name: each.default for each in others if each.default is not each.empty and each.name not in bound}


def _check_function(handler: object) -> None:
    """Raise TypeError for the result of a hook that was used as a decorator: None, or a coroutine if it is async."""
    if isinstance(handler, Coroutine):
        handler.close()  # else it would warn that nothing awaits it
        returned = "a coroutine"
    elif handler is None:
        returned = "None"
    else:
        return
    raise explained(
        "hook-as-decorator",
        f"the decorator below the route returned {returned}, not a handler."
        ' If it is a hook, pass it to the route: @app.get("/", before=hook)',
        TypeError,
    )


_BODIES = (str, int, float, bool, bytes, dict, list)
_RECORDS = ("__dataclass_fields__", "__struct_fields__", "__pydantic_serializer__")


def is_record(annotation: Any) -> bool:
    """Return True for a dataclass, a Struct or a Pydantic model."""
    return isinstance(annotation, type) and any(hasattr(annotation, mark) for mark in _RECORDS)


def _check_request(handler: Callable[..., Any], parameters: "list[Argument]") -> None:
    """Raise TypeError for a handler that annotates its first argument, the request, as a value or a body."""
    first = next(iter(parameters), None)
    if first is None or first.annotation in (first.empty, Request):
        return
    annotation = resolved(first.annotation, handler)
    if annotation not in _BODIES and not is_record(annotation):
        return
    fix = _reading(first.name, annotation) or (
        f": write (request, {first.name}: {shown(annotation)}) if the path has a parameter <{first.name}>; a field of"
        f" the query is request.args[{first.name!r}]"
    )
    raise explained(
        "wrong-annotation",
        f"{describe(handler)} takes {first.name} as {shown(annotation)}, and the first argument is the request{fix}",
        TypeError,
    )


def _reading(name: str, annotation: Any) -> str:
    """Return the fix for an argument that is meant to be the body or has a meaning elsewhere; empty for any other."""
    if is_record(annotation):
        return f". Read the body: {name} = request.json_as({shown(annotation)})"
    ours = WORDS["a handler's argument"].get(name)
    return f"; use {ours}" if ours else ""


def with_arguments(handler: Callable[..., Any], names: Collection[str], has_others: bool) -> Callable[[Any], Any]:
    """Return a function that takes only the request and calls a handler with these route parameters by name.

    ``has_others`` is True if the route also has other parameters.
    """

    def call(request: Any) -> Any:
        return handler(request, **request.path_params)

    def call_with_some(request: Any) -> Any:
        params = request.path_params
        return handler(request, **{name: params[name] for name in names})

    function = call_with_some if has_others else call
    function.__wrapped__ = handler  # type: ignore[attr-defined]  # errors name the handler
    return function


def _described(others: "list[Argument]") -> tuple[dict[str, Any], list[str], bool]:
    """Return the annotations of arguments that can be passed by name, the names of those without a default, and True if
    arguments with any name are accepted.
    """
    named = [other for other in others if other.kind in (other.POSITIONAL_OR_KEYWORD, other.KEYWORD_ONLY)]
    required = [other.name for other in named if other.default is other.empty]
    takes_all = any(other.kind is other.VAR_KEYWORD for other in others)
    return {other.name: other.annotation for other in named}, required, takes_all


def _parameters(function: Callable[..., Any]) -> "list[Argument]":
    """Return a function's own parameters, not those of a function that it wraps.

    A C function may hide them; then there are none.
    """
    try:
        return [*signature_of(function, follow_wrapped=False).parameters.values()]
    except ValueError:
        return []


def _wrapped(function: Callable[..., Any]) -> Callable[..., Any] | None:
    """Return the innermost function inside decorators that set ``__wrapped__``."""
    wrapped: Callable[..., Any] | None = getattr(getattr(function, "func", function), "__wrapped__", None)
    return wrapped


def resolved(annotation: Any, handler: Callable[..., Any]) -> Any:
    """Return an annotation with its names resolved, or Any for an annotation that only type checkers understand."""
    from inspect import Parameter as Argument

    if annotation is Argument.empty:
        return Any
    if isinstance(annotation, type):  # nothing in it has a name to resolve
        return annotation

    def holder() -> None: ...

    inner = innermost(handler)
    holder.__annotations__ = {"annotation": annotation}
    names = getattr(inner, "__globals__", None) or getattr(type(inner).__call__, "__globals__", {})
    try:
        return get_type_hints(holder, names, _variables_around(inner))["annotation"]
    # An annotation may be any expression of the program's: a name for type checkers only, or a broken one.
    except Exception:
        return Any


def _variables_around(function: Any) -> dict[str, Any]:
    """Return the variables that a function uses from enclosing functions."""
    code = getattr(function, "__code__", None)
    cells = zip(code.co_freevars, function.__closure__ or (), strict=True) if code is not None else ()
    return {name: cell.cell_contents for name, cell in cells}


def _agrees(annotation: Any, kind: Any) -> bool:
    """Return False if it is certain that no value of a type can match an annotation."""
    if annotation is Any or kind is Any:
        return True
    annotation = getattr(annotation, "__value__", annotation)  # of a `type` statement
    annotation = getattr(annotation, "__supertype__", annotation)  # of a NewType
    origin = get_origin(annotation) or annotation
    if origin is Union or origin is UnionType:
        return any(_agrees(member, kind) for member in get_args(annotation))
    if origin is Literal:
        return any(isinstance(value, kind) for value in get_args(annotation))
    if not isinstance(origin, type) or not isinstance(kind, type):
        return True
    try:
        # Type checkers take an int for a float, too (PEP 484).
        return issubclass(kind, origin) or (kind is int and origin in (float, complex))
    except TypeError:  # a protocol that can't be checked at run time
        return True


def _fix(annotation: Any, part: Parameter) -> str:
    """Return what a parameter supplies, and how to get a value of the annotated type."""
    kind = part.converter.value_type.__name__
    written = f"<{part.name}>" if part.converter.name == "str" else str(part)
    gives = f"{written} gives {'an' if kind[0] in 'aeiou' else 'a'} {kind}"
    for name in ("float", "int", "uuid"):
        if _agrees(annotation, CONVERTERS[name].value_type):
            return f"{gives}: write <{name}:{part.name}>"
    if _agrees(annotation, str):
        return f"{gives}: write <{part.name}>"
    return f"{gives}: annotate it as {kind}, or register a converter for it with app.converter"


def shown(annotation: Any) -> str:
    """Return an annotation as written in the code."""
    return getattr(annotation, "__name__", "") if isinstance(annotation, type) else str(annotation)

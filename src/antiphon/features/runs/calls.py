"""Calls of functions that can be repeated in another process, by the name of the function and its arguments as JSON."""

from collections.abc import AsyncIterable, Callable, Iterable
from inspect import Parameter, signature
from typing import Any, Generic, TypeVar, get_type_hints

import msgspec

from antiphon.explanations import explained
from antiphon.handler.contract import describe
from antiphon.http.errors import HTTPError
from antiphon.serialization.json import encode_json
from antiphon.serialization.readers import json_as

T = TypeVar("T")


class RunCall(Generic[T]):
    """A call of a function below ``@runs.again``, as a source for ``start``: it can be made again."""

    def __init__(self, function: "Repeatable", arguments: bytes) -> None:
        self.name = function.name
        self.arguments = arguments
        self._function = function

    def source(self) -> "Iterable[T] | AsyncIterable[T]":
        """Call the function, and return its iterator."""
        source: Iterable[T] | AsyncIterable[T] = self._function.source(self.arguments)
        return source


class Repeatable:
    """A function that may be called again with the same arguments, and the types as which these are read."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.name = f"{function.__module__}.{function.__qualname__}"
        self._function = function
        self._signature = signature(function)
        for parameter in self._signature.parameters.values():
            variable = parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD, Parameter.POSITIONAL_ONLY)
            if variable or parameter.annotation is Parameter.empty:
                reason = "has to have a name and an annotation, so that its value can be kept and read again"
                message = f"the argument {parameter.name!r} of {describe(function)} {reason}"
                raise explained("bad-feature-option", TypeError(message))

    def call(self, *given: Any, **named: Any) -> RunCall[Any]:
        """Return a call. Raises TypeError for arguments that do not fit, or that JSON can't keep."""
        bound = self._signature.bind(*given, **named)
        arguments = encode_json(bound.arguments)
        self._read(arguments)
        return RunCall(self, arguments)

    def source(self, arguments: bytes) -> Any:
        """Call the function with arguments that were kept. Raises TypeError if they do not fit any more."""
        return self._function(**self._read(arguments))

    def _read(self, arguments: bytes) -> dict[str, Any]:
        types = get_type_hints(self._function, include_extras=True)
        try:
            kept = msgspec.json.decode(arguments, type=dict[str, msgspec.Raw])
            return {name: json_as(bytes(value), types[name]) for name, value in kept.items()}
        except (HTTPError, KeyError, msgspec.MsgspecError) as error:
            message = f"the arguments of {describe(self._function)} can't be read again: {error}"
            raise explained("bad-feature-option", TypeError(message)) from error

"""Functions and the findings about their code, which is read once for each set of arguments."""

import ast
import contextlib
import functools
import inspect
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from inspect import CO_ASYNC_GENERATOR, CO_GENERATOR
from types import FunctionType, MethodType
from typing import Any, TypeAlias

from antiphon import Dependency, HTTPError, Redirect, Request, Response
from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.calls import CACHED
from antiphon.features.openapi.code.findings import Findings, FindsUsers, Raised, Unread
from antiphon.features.openapi.code.flow import HAS_USER, Flow, Stop
from antiphon.features.openapi.code.frames import Frame
from antiphon.features.openapi.code.methods import Call, Parameters
from antiphon.features.openapi.code.parts import said
from antiphon.features.openapi.code.sources import Place, Source, Sources
from antiphon.features.openapi.code.statements import Statements
from antiphon.features.openapi.code.values import (
    NEVER,
    NONE,
    PASSED,
    RECEIVED,
    UNKNOWN,
    Items,
    Known,
    Raisable,
    TheRequest,
    Value,
    either,
)
from antiphon.features.openapi.code.words import Words
from antiphon.http import NotModified

Providers: TypeAlias = Mapping[Any, Callable[..., Any]]
"""The functions that provide an application's dependencies."""

_DEEPEST = 12
"""The maximum depth to which nested calls are followed."""
_MOST = 2000
"""The maximum number of calls that are followed for one handler."""

_PATHS = map(sysconfig.get_path, ("stdlib", "platstdlib", "purelib", "platlib"))
_LIBRARIES = tuple({path for path in _PATHS if path})


def function_of(called: Callable[..., Any]) -> FunctionType | None:
    """Return the function that runs when an object is called, without partials, or None if it is written in C."""
    while isinstance(called, functools.partial):
        called = called.func
    called = getattr(called, "__func__", called)
    return called if isinstance(called, FunctionType) else annotations.method_of(type(called), "__call__")


def is_ours(function: FunctionType | None) -> bool:
    """True for a function of this package, or of another one that says what its code reads: features describe it."""
    package = sys.modules.get("" if function is None else (function.__module__ or "").partition(".")[0])
    return hasattr(package, "__path__") and hasattr(package, "__reads__")


def _makes_response(function: FunctionType) -> bool:
    """True for a function of this package that returns a response, which only its code describes."""
    return is_ours(function) and annotations.class_of(annotations.returned_by(function)) is Response


def is_of_library(cls: type) -> bool:
    """True for a class of an installed package or of the standard library, whose code is not read."""
    path = getattr(sys.modules.get(cls.__module__), "__file__", None) or ""
    return path.startswith(_LIBRARIES) and cls.__module__.partition(".")[0] != "antiphon"


class CodeReader:
    """The functions read for one document, each once for each set of arguments."""

    def __init__(self, words: Words | None = None, sources: Sources | None = None) -> None:
        self.words = words or Words()
        """The terms of the other framework whose views are read."""
        self._sources = sources or Sources()
        self._read: dict[Any, Findings] = {}
        self.open: list[Any] = []
        """The functions whose calls are being followed."""
        self._followed = 0
        self.method = ""
        """The method of the request with which functions are called."""
        self.path = ""
        """The pattern of the request's path."""
        self.has_read_path = False
        """True if the function that is read depends on the path, itself or by what it calls."""
        self._reentered = sys.maxsize
        """The position in ``open`` of the outermost function that was called again, and not read there."""
        self._partial: dict[Any, int] = {}
        """That position for each of ``_read`` that lacks what such a function does."""
        self.providers: Providers = {}
        """The functions that provide the application's dependencies."""

    def read(self, called: Callable[..., Any], *others: Value) -> Findings:
        """Read a function that is called with the request, and possibly more arguments after it."""
        self._followed = self._followed if self.open else 0
        given: list[Value] = [*self.words.given, *others]
        named: dict[str, Value] = {}
        while isinstance(called, functools.partial):
            given = [*map(Known, called.args), *given]
            named = {**{name: Known(value) for name, value in called.keywords.items()}, **named}
            called = called.func
        called = called.__wrapped__ if isinstance(called, CACHED) else called
        if isinstance(called, MethodType):
            given.insert(0, Known(called.__self__))
            called = called.__func__
        elif not isinstance(called, FunctionType):
            given.insert(0, Known(called))
            called = annotations.method_of(type(called), "__call__") or called
        if not isinstance(called, FunctionType):
            return _without_source(called)
        found = _without_source(called)
        if (source := self._sources.find(called)) is not None:
            found = self._read_function(called, source, _bound(called, source, given, named, may_have_more=True))
        wrapped = getattr(called, "__wrapped__", None)
        if wrapped is None:
            return replace(found, stated=annotations.returned_by(called))
        if self.follows(called) and found.result is not UNKNOWN and (found.result is not NEVER or found.unread):
            return found
        inner = self.read(wrapped, *others)
        joined = Findings(result=inner.result, stated=inner.stated, place=inner.place, streams=inner.streams)
        joined.add(found)
        joined.add(inner)
        if not is_ours(called):
            text = "it is in a decorator whose code does not say what it returns"
            joined.unread.append(Unread(text, inner.place, "given" if self.follows(called) else "all"))
        return joined

    def follows(self, function: FunctionType) -> bool:
        """True for a function that the application defines."""
        return not is_ours(function) and not function.__code__.co_filename.startswith(_LIBRARIES)

    def call(self, frame: Frame, made: Call, function: FunctionType) -> Value | None:
        """Follow a call of a function and return its result, or None if it isn't read. Raises Stop if it always
        raises."""
        inner = getattr(function, "__wrapped__", None)
        if isinstance(inner, FunctionType) and not self.follows(function) and self.follows(inner):
            is_generator = inner.__code__.co_flags & (CO_GENERATOR | CO_ASYNC_GENERATOR)
            if function.__code__.co_filename != contextlib.__file__ or not is_generator:
                frame.unread(f"{made.written}(...) is in a decorator that is not read", made.node, "raised")
            return self.call(frame, made, inner)
        if not (made.is_given_request or self.follows(function) or _makes_response(function)):
            return None
        source = self._sources.find(function)
        if source is None or not self.can_follow(function):
            frame.escape(*[each for each in made.given if not isinstance(each, TheRequest)])
            if function not in self.open and not function.__code__.co_filename.startswith("<"):
                frame.unread(f"{made.written}(...) calls code that can't be read", made.node, "raised")
            return UNKNOWN
        is_lazy = bool(function.__code__.co_flags & (CO_GENERATOR | CO_ASYNC_GENERATOR)) or (
            inspect.iscoroutinefunction(function) and not made.is_awaited
        )
        if frame.flow.holds_objects(*made.given) and not is_lazy and not is_ours(function):
            return self._call_here(frame, made, function, source)
        given = _bound(function, source, [*map(frame.flow.frozen, made.positional)], made.named, is_open=made.is_open)
        found = self._read_function(function, source, {name: frame.flow.frozen(each) for name, each in given.items()})
        if is_lazy:
            frame.escape(*[each for each in made.given if not isinstance(each, TheRequest)])
        self._note(frame, found, function)
        if found.result is NEVER and not found.streams:
            raise Stop
        if found.streams:
            return Items(found.yields, Iterator)
        return frame.hold(made.node, found.result)

    def _call_here(self, frame: Frame, made: Call, function: FunctionType, source: Source) -> Value:
        """Follow a call in the caller's state, since it may change the objects passed to it."""
        findings = Findings()
        inner = Statements(source, source.node, self, frame.flow, findings, (*frame.scope, made.node))
        inner.is_inner = True
        for name, value in _bound(function, source, made.positional, made.named, is_open=made.is_open).items():
            inner.bind(name, inner.hold(name, value))
        try:
            with self.following(function):
                return inner.run_call(source.body)
        finally:
            self._note(frame, findings, function)

    def _note(self, frame: Frame, found: Findings, function: FunctionType) -> None:
        """Add the findings about a call. What Antiphon's own functions read is described separately."""
        if is_ours(function):
            found = replace(found, reads=[], named=[], unread=[])
        frame.flow.state.update(dict.fromkeys(found.always, NONE))
        if not is_ours(function):
            frame.findings.passed = either(frame.findings.passed, found.passed)
        frame.findings.add(replace(found, unread=[each for each in found.unread if each.about != "given"]))

    def dependency(self, frame: Frame, dependency: Dependency[Any], node: ast.AST) -> Value:
        """Return a dependency's value and record the errors that its source raises."""
        stated = said(annotations.dependency_type(dependency))
        if stated is UNKNOWN:
            stated = said(annotations.attribute_of(Request, dependency.name))
        provider = self.providers.get(dependency)
        if provider is None:
            return stated
        function = function_of(provider)
        if function is None or self._is_open(function):
            return stated
        if isinstance(users := getattr(provider, "__self__", None), FindsUsers):
            frame.findings.add(Findings(users=[users]))
        found = self.read(provider)
        self._note(frame, found, function)
        if isinstance(users, FindsUsers) and users.__security__(dependency)[1]:
            frame.flow.state[HAS_USER] = NONE
        if stated is not UNKNOWN and not isinstance(found.result, Known):
            return stated
        if found.result is NEVER and not found.streams:
            raise Stop
        return frame.hold(node, found.yields if found.streams else found.result)

    def _read_function(self, function: FunctionType, source: Source, variables: dict[str, Value]) -> Findings:
        key: Any
        try:
            key = (self.method, tuple(map(id, self.providers.values())), function, frozenset(variables.items()))
            at = key if key in self._read else (key, self.path)
            known = self._read.get(at)
        except TypeError:  # a value that isn't hashable
            key = at = object()
            known = None
        if known is not None:
            self.has_read_path |= at is not key
            self._reentered = min(self._reentered, self._partial.get(at, sys.maxsize))
            return known
        has_read_path, reentered = self.has_read_path, self._reentered
        self.has_read_path, self._reentered = False, sys.maxsize
        known = self._read_source(function, source, variables)
        at = at if self.has_read_path else key
        self._read[at] = known
        if self._reentered < len(self.open):
            self._partial[at] = self._reentered
        self.has_read_path |= has_read_path
        self._reentered = min(self._reentered, reentered)
        return known

    def _read_source(self, function: FunctionType, source: Source, variables: dict[str, Value]) -> Findings:
        place = source.place_of(source.node)
        try:
            with self.following(function):
                flow = Flow()
                frame = Statements(source, source.node, self, flow, Findings(place=place))
                if function.__code__.co_flags & (CO_GENERATOR | CO_ASYNC_GENERATOR):
                    flow.set(PASSED, RECEIVED)
                for name, value in variables.items():
                    if value == RECEIVED:
                        flow.set(PASSED, RECEIVED)
                    frame.bind(name, PASSED if value == RECEIVED else frame.hold(name, value))
                return frame.read()
        except Exception as error:  # inspecting objects that the code refers to may raise anything
            text = f"reading it failed: {type(error).__name__}: {error}"
            return Findings(result=UNKNOWN, place=place, unread=[Unread(text, place, "all")])

    @contextlib.contextmanager
    def following(self, function: Any) -> Iterator[None]:
        """Follow a call of a function. What was read within it without another call of it is then forgotten."""
        self._followed += 1
        self.open.append(function)
        try:
            yield
        finally:
            self.open.pop()
            for key in [key for key, reentered in self._partial.items() if reentered >= len(self.open)]:
                del self._read[key], self._partial[key]

    def can_follow(self, function: Any) -> bool:
        """True for a function that can be followed here: not within itself, too deep, or after too many others."""
        return not self._is_open(function) and len(self.open) < _DEEPEST and self._followed <= _MOST

    def _is_open(self, function: Any) -> bool:
        """True for a function whose call is being followed. What depends on its findings is then read in part."""
        if function not in self.open:
            return False
        self._reentered = min(self._reentered, self.open.index(function))
        return True

    def note_raised(self, expressions: Frame, error: Raisable, node: ast.AST) -> None:
        """Record that an exception is raised. If its status is unknown, report that."""
        place = expressions.source.place_of(node)
        if error.status is None and issubclass(error.kind, HTTPError | Redirect | NotModified):
            status = 303 if error.kind is Redirect else getattr(error.kind, "status", None)
            if error.kind is HTTPError or not isinstance(status, int):
                text = f"{error.kind.__name__} is raised with a status that is not known before it runs"
                expressions.findings.unread.append(Unread(text, place, "raised"))
                return
            error = replace(error, status=status)
        expressions.findings.add(Findings(raised=[Raised(error, place)]))


def _without_source(called: Any) -> Findings:
    code = getattr(called, "__code__", None)
    name = getattr(called, "__qualname__", None) or repr(called)
    place = Place(name, code.co_filename, code.co_firstlineno) if code else Place(name, "no file", 0)
    findings = Findings(result=UNKNOWN, place=place)
    findings.unread.append(Unread("its source can't be read", place, "all"))
    return findings


def _bound(
    function: FunctionType,
    source: Source,
    positional: list[Value],
    named: dict[str, Value],
    *,
    is_open: bool = False,
    may_have_more: bool = False,
) -> dict[str, Value]:
    """Return a function's arguments by name: the given values, or else the defaults or annotations."""
    parameters, hints = Parameters.of(source.node.args), annotations.hints_of(function)
    names = (*parameters.by_position, *parameters.by_name)
    variables: dict[str, Value] = {name: said(hints[name]) if name in hints else UNKNOWN for name in names}
    defaults = function.__defaults__ or ()
    last = parameters.by_position[len(parameters.by_position) - len(defaults) :]
    for name, default in (
        () if is_open else {**dict(zip(last, defaults, strict=True)), **(function.__kwdefaults__ or {})}.items()
    ):
        variables[name] = variables[name] if default is None and name in hints else Known(default)
    return variables | parameters.bound(positional, named, is_open=is_open or may_have_more)

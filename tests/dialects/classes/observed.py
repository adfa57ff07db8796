"""`python -m tests.dialects.classes.observed LIBRARY [DIALECT]`: how a library's classes behave, as JSON on the output.

Without a dialect, these are the original's classes, and how an object of each can be made is written, too. With one,
that JSON is read from the input, and the same is observed of the dialect's classes by those names. Each observation has
the key "class|member|operation"; its value tells what happened, an error by its class alone.
"""

import abc
import collections.abc
import contextlib
import copy
import functools
import importlib
import importlib.metadata
import importlib.resources
import inspect
import io
import json
import os
import pickle
import pkgutil
import signal
import sys
import tempfile
import types
import typing
import warnings
import weakref
from collections.abc import Callable
from typing import Any
from unittest import mock

from tests.dialects.classes.library import FUNCTIONS, PLAIN, Library, outcome, too_slow, without_addresses

ABSTRACT = ("Awaitable", "Callable", "Container", "Hashable", "Iterable", "Iterator", "Mapping", "MutableMapping",
            "MutableSequence", "MutableSet", "Reversible", "Sequence", "Set", "Sized")  # fmt: skip
MARK = type("Mark", (), {"__repr__": lambda self: "<mark>"})()
Observed = dict[str, str]


def signature(value: Any) -> str:
    """The names, kinds and defaults of parameters."""
    found = []
    for each in inspect.signature(value).parameters.values():
        default = each.default
        shown = "" if default is each.empty else f"={default!r}" if type(default) in PLAIN else "=…"
        found.append(f"{each.kind.description[0]}{'*' * each.kind.name.startswith('VAR')}:{each.name}{shown}")
    return ", ".join(found)


class Singleton(type):
    pass


class Mixin:
    def of_mixin(self) -> str:
        return "mixin"


T = typing.TypeVar("T")


class Observer:
    def __init__(self, library: Library) -> None:
        self.library = library
        self.observed: Observed = {}
        self.read = ""
        """What reading the attribute gives that is being observed."""

    def note(self, path: str, member: str, operation: str, do: Callable[[], Any]) -> None:
        self.observed[f"{path}|{member}|{operation}"] = outcome(do, self.described)

    def described(self, value: Any) -> str:
        """What an attribute gives: another value is one difference, not one for each operation."""
        found = self.library.described(value)
        return "as read" if self.read and found == self.read else found

    def everything(self) -> Observed:
        for module in self.library.modules:
            self.module(module)
        for path, cls in self.library.classes.items():
            self.the_class(path, cls)
            is_made = path in self.library.recipes and self.is_made(path)
            if is_made:
                self.an_object(path)
                self.subclasses(path, cls)
            for name, is_of_class in self.library.members[path].items():
                self.a_member(path, cls, name, is_of_class, is_made)
        return self.observed

    def is_made(self, path: str) -> bool:
        """Return True if an object can be made, without which nothing else is observed of it."""
        self.note(path, "", "made", lambda: self.library.path(type(self.library.instance(path))))
        return not self.observed[f"{path}||made"].startswith("!")

    def a_member(self, path: str, cls: type, name: str, is_of_class: bool, is_made: bool) -> None:
        """Observe an attribute, unless it is missing."""
        is_there = inspect.getattr_static(cls, name, MARK) is not MARK
        if is_made and not is_there:
            with contextlib.suppress(Exception):
                is_there = hasattr(self.library.instance(path), name)
        self.note(path, name, "is there", lambda: is_there or not (is_made or is_of_class))
        self.read = ""
        if is_there and is_made:
            self.note(path, name, "get", lambda: getattr(self.library.instance(path), name))
            self.read = self.observed[f"{path}|{name}|get"]
        if is_there and is_of_class:
            self.class_member(path, cls, name)
        if is_there and is_made:
            self.object_member(path, name)
        if is_there and is_made and is_of_class:
            self.patched(path, cls, name)
            self.overridden(path, cls, name)
        self.read = ""

    def module(self, name: str) -> None:
        def star() -> str:
            found: dict[str, Any] = {}
            exec(f"from {name} import *", found)
            return str(len(found) > 1)

        def as_name() -> str:
            found: dict[str, Any] = {}
            exec(f"import {name} as z", found)
            return str(found["z"].__name__)

        self.note(name, "", "import *", star)
        self.note(name, "", "import as", as_name)
        self.note(name, "", "__all__", lambda: hasattr(sys.modules.get(name), "__all__"))
        self.note(name, "", "find_spec", lambda: importlib.util.find_spec(name).name)
        self.note(name, "", "is package", lambda: hasattr(importlib.import_module(name), "__path__"))
        if "." in name:
            return
        self.note(name, "", "importlib.metadata", lambda: importlib.metadata.version(name) is not None)
        self.note(name, "", "importlib.resources", lambda: importlib.resources.files(name).is_dir())
        self.note(name, "", "pkgutil", lambda: len([*pkgutil.iter_modules(importlib.import_module(name).__path__)]) > 0)

    def the_class(self, path: str, cls: type) -> None:
        known = [*self.library.paths.items()]
        operations: dict[str, Callable[[], Any]] = {
            "metaclass": lambda: type(cls).__name__,
            "is abstract": lambda: inspect.isabstract(cls),
            "bases": lambda: " ".join(
                sorted({name for each, name in known if each is not cls and issubclass(cls, each)})
            ),
            "built-in bases": lambda: " ".join(
                each.__name__ for each in cls.__mro__ if each.__module__ in ("builtins", "collections.abc", "threading")
            ),
            "__module__": lambda: cls.__module__,
            "__qualname__": lambda: cls.__qualname__,
            "signature": lambda: signature(cls),
            "set class attribute": lambda: setattr(cls, "never_seen", 1),
            "delete class attribute": lambda: delattr(cls, "never_seen"),
            "cls | None": lambda: cls | None,
            "cls[int]": lambda: cls[int],
            "pickle class": lambda: pickle.loads(pickle.dumps(cls)) is cls,
            "create_autospec": lambda: callable(mock.create_autospec(cls)),
            "Mock(spec)": lambda: isinstance(mock.Mock(spec=cls), cls),
            "get_type_hints": lambda: bool(typing.get_type_hints(cls)) or True,
        }
        for name, do in operations.items():
            self.note(path, "", name, do)

    def subclasses(self, path: str, cls: type) -> None:
        made_class = type(cls)

        def made(*bases: type, **names: Any) -> Any:
            sub = made_class("Sub", bases, {"__module__": __name__, **names})
            return isinstance(self.library.instance(path, sub), cls)

        def other_init(self: Any, *args: Any, other: int = 3, **kwargs: Any) -> None:
            super(type(self), self).__init__(*args, **kwargs)
            self.other = other

        def other_new(own: type, *args: Any, **kwargs: Any) -> Any:
            is_plain = cls.__new__ is object.__new__
            made = object.__new__(own) if is_plain else super(own, own).__new__(own, *args, **kwargs)
            made.other = 3
            return made

        def init_subclass() -> bool:
            called = []
            base = made_class("Base", (cls,), {"__init_subclass__": classmethod(lambda own, **kw: called.append(kw))})
            types.new_class("Sub", (base,), {"word": 3})
            return called == [{"word": 3}]

        operations: dict[str, Callable[[], Any]] = {
            "subclass": lambda: made(cls),
            "subclass with __init__": lambda: made(cls, __init__=other_init),
            "subclass with __new__": lambda: made(cls, __new__=other_new),
            "subclass with __init_subclass__": init_subclass,
            "subclass with empty __slots__": lambda: made(cls, __slots__=()),
            "subclass with __slots__": lambda: made(cls, __slots__=("own_slot",)),
            "subclass with Generic": lambda: isinstance(types.new_class("Sub", (cls, typing.Generic[T])), type),
            "subclass with mixin first": lambda: made(Mixin, cls),
            "subclass with mixin last": lambda: made(cls, Mixin),
            "subclass with ABC": lambda: isinstance(types.new_class("Sub", (cls, abc.ABC)), type),
            "subclass with dict": lambda: isinstance(types.new_class("Sub", (cls, dict)), type),
            "subclass with Exception": lambda: isinstance(types.new_class("Sub", (cls, Exception)), type),
            "subclass with metaclass": lambda: isinstance(
                types.new_class("Sub", (cls,), {"metaclass": Singleton}), type
            ),
            "subclass with __getattr__": lambda: made(cls, __getattr__=_no_attribute),
            "subclass with __setattr__": lambda: made(cls, __setattr__=_set_attribute),
            "subclass with __eq__": lambda: made(cls, __eq__=lambda self, other: True),
        }
        for name, do in operations.items():
            self.note(path, "", name, do)

    def an_object(self, path: str) -> None:
        new = functools.partial(self.library.instance, path)

        def entered() -> str:
            return f"{hasattr(type(new()), '__enter__')} {hasattr(type(new()), '__aenter__')}"

        def copied(how: Callable[[Any], Any]) -> str:
            before = new()
            try:
                after = how(before)
            except Exception:  # by which error is a matter of chance
                return "fails"
            return f"{self.library.path(type(after))}, equal: {after == before}"

        operations: dict[str, Callable[[], Any]] = {
            "has __dict__": lambda: hasattr(new(), "__dict__"),
            "weakref": lambda: weakref.ref(new()) is not None,
            "set any attribute": lambda: setattr(new(), "never_seen", 1),
            "abstract classes": lambda: " ".join(
                each for each in ABSTRACT if isinstance(new(), getattr(collections.abc, each))
            ),
            "hash": lambda: hash(new()) is not None,
            "hash is of value": lambda: len({*map(hash, [new(), new()])}) == 1,
            "== like": lambda: new() == new(),
            "== itself": lambda: _is_itself(new()),
            "== mark": lambda: new() == MARK,
            "<": lambda: new() < new(),
            "bool": lambda: bool(new()),
            "len": lambda: len(new()),
            "iter": lambda: iter(new()) is not None,
            "in": lambda: "a" in new(),
            "[]": lambda: new()["a"],
            "[0]": lambda: new()[0],
            "await": lambda: hasattr(new(), "__await__"),
            "with": entered,
            "|": lambda: new() | new(),
            "+": lambda: new() + new(),
            "callable": lambda: callable(new()),
            "repr": lambda: without_addresses(repr(new()))[:120],
            "str": lambda: without_addresses(str(new()))[:120],
            "copy": lambda: copied(copy.copy),
            "deepcopy": lambda: copied(copy.deepcopy),
            "pickle": lambda: copied(lambda one: pickle.loads(pickle.dumps(one))),
            "create_autospec of it": lambda: mock.create_autospec(new()) is not None,
            "int": lambda: int(new()),
            "next": lambda: next(new()),
        }
        for name, do in operations.items():
            self.note(path, "", name, do)

    def class_member(self, path: str, cls: type, name: str) -> None:
        note = functools.partial(self.note, path, name)
        note("kind", lambda: _kind(inspect.getattr_static(cls, name)))
        note("of the class", lambda: self.described(getattr(cls, name)))
        value = getattr(cls, name, None)
        if callable(value) and not isinstance(value, type):
            note("signature", lambda: signature(value))
            note("is async", lambda: inspect.iscoroutinefunction(value) or inspect.isasyncgenfunction(value))
            note("is generator", lambda: inspect.isgeneratorfunction(value))
            note("__wrapped__", lambda: hasattr(value, "__wrapped__"))
            note("__qualname__", lambda: value.__qualname__)
            note("__name__", lambda: value.__name__)

    def object_member(self, path: str, name: str) -> None:
        new = functools.partial(self.library.instance, path)
        note = functools.partial(self.note, path, name)

        def set_and_read() -> str:
            one = new()
            setattr(one, name, MARK)
            return f"read: {getattr(one, name) is MARK}"

        def kept() -> str:
            one = new()
            got = getattr(one, name)
            return f"{getattr(one, name) is got}" if not callable(got) else ""

        def deleted() -> str:
            one = new()
            getattr(one, name, None)
            delattr(one, name)
            return self.described(getattr(one, name, "gone"))

        def set_and_deleted() -> str:
            one = new()
            setattr(one, name, MARK)
            delattr(one, name)
            return self.described(getattr(one, name, "gone"))

        def set_again() -> str:
            one = new()
            setattr(one, name, getattr(new(), name))
            return self.described(getattr(one, name))

        note("same when read twice", kept)
        note("set", set_and_read)
        note("set what was read", set_again)
        note("delete", deleted)
        note("set and delete", set_and_deleted)

    def patched(self, path: str, cls: type, name: str) -> None:
        new = functools.partial(self.library.instance, path)
        note = functools.partial(self.note, path, name)

        def patched_class() -> str:
            with mock.patch.object(cls, name, MARK):
                inside = getattr(new(), name) is MARK
            return f"{inside}, {self.described(getattr(new(), name))}"

        def patched_object() -> str:
            one = new()
            with mock.patch.object(one, name, MARK):
                inside = getattr(one, name) is MARK
            return f"{inside}, {self.described(getattr(one, name))}"

        note("patch the class", patched_class)
        note("patch the object", patched_object)

    def overridden(self, path: str, cls: type, name: str) -> None:
        note = functools.partial(self.note, path, name)

        def made(value: Any) -> Any:
            sub = types.new_class("Sub", (cls,), {}, lambda body: body.update({name: value, "__module__": __name__}))
            return self.library.instance(path, sub)

        def parent(self: Any) -> Any:
            return getattr(super(type(self), self), name)

        def by_property() -> str:
            one = made(property(parent))
            return f"{self.described(getattr(one, name))}, {self.described(getattr(one, name))}"

        def by_setter() -> str:
            calls: list[Any] = []
            one = made(property(parent, lambda self, value: calls.append(value)))
            return f"{self.described(getattr(one, name))}, set: {len(calls)}"

        def by_cached() -> str:
            cached = functools.cached_property(parent)
            cached.__set_name__(cls, name)
            one = made(cached)
            return f"{self.described(getattr(one, name))}, {getattr(one, name) is getattr(one, name)}"

        def by_method() -> str:
            one = made(lambda self, *args, **kwargs: parent(self)(*args, **kwargs))
            return f"{getattr(one, name).__name__}"

        note("override: property with super()", by_property)
        note("override: property with setter", by_setter)
        note("override: cached property with super()", by_cached)
        note("override: attribute", lambda: getattr(made(MARK), name) is MARK)
        note("override: method with super()", by_method)


def _no_attribute(_self: Any, name: str) -> Any:
    raise AttributeError(name)


def _set_attribute(self: Any, name: str, value: Any) -> None:
    object.__setattr__(self, name, value)


def _is_itself(one: Any) -> bool:
    other = one
    return bool(one == other)


def _kind(found: Any) -> str:
    if isinstance(found, staticmethod | classmethod):
        return type(found).__name__
    if isinstance(found, (*FUNCTIONS, functools.partialmethod)):
        return "function"
    cls = type(found)
    if hasattr(cls, "__set__") or hasattr(cls, "__delete__"):
        return "data descriptor"
    return "non-data descriptor" if hasattr(cls, "__get__") else "value"


def main() -> None:
    warnings.simplefilter("ignore")
    name, *dialect = sys.argv[1:]
    output, sys.stdout = sys.stdout, io.StringIO()
    signal.signal(signal.SIGALRM, too_slow)
    folder = tempfile.TemporaryDirectory()
    os.chdir(folder.name)  # some write files where they are
    known = None
    if dialect:
        from antiphon.dialect_imports import install

        install(*dialect)
        known = json.load(sys.stdin)
    importlib.import_module(name)
    library = Library(name, known)
    observed = Observer(library).everything()
    json.dump(
        {
            "modules": library.modules, "classes": [*library.classes], "recipes": library.recipes,
            "members": library.members, "observed": observed,
        },
        output,
    )  # fmt: skip


if __name__ == "__main__":
    main()

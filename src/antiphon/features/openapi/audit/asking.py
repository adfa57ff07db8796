"""The question whose an object is, as code asks it: a user that is compared, or passed to what finds the object."""

import ast
from collections.abc import Iterator
from types import FunctionType

from antiphon.features.openapi.audit.objects import Code, Given, Instance, Object, as_function, is_logger
from antiphon.features.openapi.code.annotations import method_of
from antiphon.features.openapi.code.reading import CodeReader, Providers
from antiphon.features.openapi.code.sources import MISSING, Sources

_DEEPEST = 6
"""The maximum depth to which calls are followed."""
_PURE = {str, int, float, repr, bool, list, tuple, set, dict, len, hash, sorted, getattr}
"""Functions whose result is still about the user."""
_OUTPUT = frozenset((
    *("print", "Page", "Block", "Response", "render", "render_template", "jsonify", "json", "html", "text", "flash"),
    *("redirect", "url_for", "gettext", "format", "join", "set_tag", "set_user", "bind"),
    *("info", "debug", "warning", "error", "exception", "critical", "log"),
))  # fmt: skip
"""Names of functions that show what they are passed."""


class Asking:
    """The search for comparisons with the user, in functions and those that they call."""

    def __init__(self, reader: CodeReader, sources: Sources) -> None:
        self._reader = reader
        self._sources = sources
        self._open: list[FunctionType] = []

    def reached(self, function: FunctionType, providers: Providers) -> Iterator[Code]:
        """Yield the code of a function and of the application's functions that it calls, each once, nearest first."""
        found: set[tuple[FunctionType, type | None]] = set()
        called: list[tuple[FunctionType, Object]] = [(function, MISSING)]
        for _ in range(_DEEPEST + 1):
            level, called = called, []
            for inner, owner in level:
                kind = owner.kind if isinstance(owner, Instance | Given) else None
                if (inner, kind) in found or not self._reader.follows(inner):
                    continue
                found.add((inner, kind))
                if (code := Code.of(inner, self._sources, providers)) is not None:
                    if kind is not None and code.parameters[:1] == ["self"]:
                        _bind_self(code, owner)
                    yield code
                    called += [(each, of) for _, each, of in code.functions_called()]

    def asks(self, code: Code, tainted: frozenset[str] = frozenset(), depth: int = 0) -> bool:
        """Return True if code compares a user, or passes one to something that may. ``tainted`` are names of users."""
        names = self._names_of_users(code, tainted)
        return any(self._decides(code, node, depth) for node in code.nodes if self._is_user(code, node, names))

    def _names_of_users(self, code: Code, tainted: frozenset[str]) -> frozenset[str]:
        """Return the names that hold a user, or a part of one."""
        names = {*tainted}
        for _ in range(4):  # a name may be assigned from one that is assigned below
            for node in code.nodes:
                match node:
                    case ast.Assign(targets=targets, value=value):
                        held = targets
                    case (
                        ast.NamedExpr(target=target, value=value)
                        | ast.AnnAssign(target=target, value=ast.expr() as value)
                    ):
                        held = [target]
                    case _:
                        continue
                if any(self._is_user(code, each, frozenset(names)) for each in ast.walk(value)):
                    names |= {each.id for target in held for each in ast.walk(target) if isinstance(each, ast.Name)}
        return frozenset(names)

    def _is_user(self, code: Code, node: ast.AST, names: frozenset[str]) -> bool:
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                return name in names
            case ast.Attribute(value=value, attr="user" | "session"):
                return code.is_request(value)
            case ast.Subscript():
                found = code.find(node)
                return isinstance(found, Given) and (found.users is not None or self._gives_users(code, found))
        return False

    def _gives_users(self, code: Code, found: Given) -> bool:
        """Return True for a dependency that is found by the user, such as the user's account."""
        if found.source is None or found.source in self._open:
            return False
        self._open.append(found.source)
        inner = Code.of(found.source, self._sources, code.providers)
        is_found = inner is not None and any(self._is_user(inner, node, frozenset()) for node in inner.nodes)
        self._open.pop()
        return is_found

    def _decides(self, code: Code, node: ast.AST, depth: int) -> bool:
        """Return True if something depends on a user: on its way up, the expression is compared, or passed on."""
        is_part = False
        parent = code.parents.get(node)
        while parent is not None and not isinstance(parent, ast.stmt | ast.ExceptHandler):
            match parent:
                case ast.Attribute():
                    is_part = True
                case ast.Compare():
                    others = [each for each in (parent.left, *parent.comparators) if each is not node]
                    return not all(isinstance(each, ast.Constant) and not is_part for each in others)
                case ast.Call(func=called) if called is not node:
                    if (found := self._passed(code, parent, node, depth)) is not None:
                        return found
                case ast.Call(args=args, keywords=keywords):
                    if any(not isinstance(each, ast.Constant) for each in (*args, *[each.value for each in keywords])):
                        return True
                case ast.Subscript(value=value, slice=key):
                    if value is not node or not isinstance(key, ast.Constant):
                        return True
                    is_part = True
                case ast.comprehension(ifs=conditions) if node in conditions:
                    return is_part
                case ast.IfExp(test=test) if test is node:
                    return is_part
            node, parent = parent, code.parents.get(parent)
        match parent:
            case ast.If(test=test) | ast.While(test=test) | ast.Assert(test=test) if test is node:
                return is_part
            case ast.For(iter=items) | ast.AsyncFor(iter=items) if items is node:
                return is_part
            case ast.Match(subject=subject) if subject is node:
                return is_part
        return False

    def _passed(self, code: Code, call: ast.Call, node: ast.AST, depth: int) -> bool | None:
        """Return whether a function that is passed a user decides; None if its result may still be about the user."""
        found = code.find(call.func)
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        owner = code.find(call.func.value) if isinstance(call.func, ast.Attribute) else MISSING
        try:
            if found in _PURE:
                return None
        except TypeError:  # it can't be hashed
            pass
        if name in _OUTPUT or is_logger(owner):
            return False
        function = as_function(found)
        if function is None or depth >= _DEEPEST or function in self._open or not self._reader.follows(function):
            return True
        inner = Code.of(function, self._sources, code.providers)
        if inner is None:
            return True
        parameters = inner.parameters
        if parameters[:1] == ["self"]:
            _bind_self(inner, owner)
            parameters = parameters[1:]
        passed = {name for name, each in zip(parameters, call.args, strict=False) if each is node}
        passed |= {str(each.arg) for each in call.keywords if each is node or each.value is node}
        self._open.append(function)
        is_asked = self.asks(inner, frozenset(passed), depth + 1)
        self._open.pop()
        return is_asked

    def asks_around(self, hook: object, providers: Providers) -> bool:
        """Return True if a hook, middleware or a decorator asks: one of the application, or an admin's scope."""
        if (scopes := getattr(hook, "__scopes__", None)) is not None:
            return any("admin" in scope for scope in scopes)
        function = as_function(hook) or method_of(type(hook), "__call__")
        if function is None or not self._reader.follows(function):
            return False
        return any(self.asks(code) for code in self.reached(function, providers))


def _bind_self(code: Code, owner: Object) -> None:
    kind = owner.kind if isinstance(owner, Instance | Given) else type(owner)
    code.arguments.setdefault("self", Instance(kind or object))

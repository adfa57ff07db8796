"""Rules, which map paths with variables to endpoints, and the parsers and factories of rules."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from string import Template as TextTemplate
from typing import TYPE_CHECKING, Any, NamedTuple

from antiphon.dialects.werkzeug.datastructures.structures import iter_multi_items
from antiphon.dialects.werkzeug.routing.converters import BaseConverter, IntegerConverter, ValidationError
from antiphon.dialects.werkzeug.routing.parts import Direct, Part, Template, Variable, encode_fields, parts_of

if TYPE_CHECKING:
    from antiphon.dialects.werkzeug.routing.map import Map


_token = re.compile(r"(/)|([^</]+)|<(?:([A-Za-z_][A-Za-z0-9_]*)(?:\((.*?)\))?:)?([A-Za-z_][A-Za-z0-9_]*)>").match
_argument = re.compile(
    r"\s*(?:(\w+)\s*=\s*)?(?:[urUR]?(\"[^\"]*\"|'[^']*')|(\d+[^\s,]\d+|\d+[^\s,\w](?=\s*,)|[\w.]+))\s*,"
)

_CONSTANTS = {"None": None, "True": True, "False": False}


class VariableText(NamedTuple):
    """A variable as it is written in a rule."""

    name: str
    converter: str
    arguments: str


def tokens(rule: str) -> Iterator[str | VariableText]:
    """Yield a rule's literals, single slashes and variables. Raises ValueError if the rule is malformed."""
    at = 0
    while at < len(rule):
        found = _token(rule, at)
        if found is None:
            raise ValueError(f"malformed url rule: {rule!r}")
        slash, text, converter, arguments, name = found.groups()
        yield slash or text or VariableText(name, converter or "default", arguments or "")
        at = found.end()


def parse_converter_args(argstr: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Parse a converter's arguments, such as ``2, "a b", signed=True``, into positional and named ones.

    They may be numbers, True, False, None, or strings. Strings that look like a name need no quotes. Raises ValueError
    for anything else.
    """
    argstr += ","
    placed: list[Any] = []
    named: dict[str, Any] = {}
    end = 0
    for found in _argument.finditer(argstr):
        if found.start() != end:
            raise ValueError(f"Cannot parse converter argument {argstr[end : found.start()]!r}")
        name, quoted, plain = found.groups()
        value = quoted[1:-1] if quoted else _constant(plain)
        if name:
            named[name] = value
        else:
            placed.append(value)
        end = found.end()
    return tuple(placed), named


def _constant(text: str) -> str | float | bool | None:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def parse_rule(rule: str) -> Iterator[tuple[str | None, str | None, str]]:
    """Yield the converter, arguments and name of each variable in a rule, as Werkzeug did before 2.2.

    The text between variables is yielded without a converter and arguments. Raises ValueError for a malformed rule or
    a repeated variable.
    """
    text = ""
    names: set[str] = set()
    for token in tokens(rule):
        if isinstance(token, str):
            text += token
            continue
        if text:
            yield None, None, text
        text = ""
        if token.name in names:
            raise ValueError(f"variable name {token.name!r} used twice.")
        names.add(token.name)
        yield token.converter, token.arguments or None, token.name
    if text:
        yield None, None, text


class RuleFactory:
    """The base class for objects that provide rules to a map."""

    def get_rules(self, map: "Map") -> Iterable["Rule"]:  # noqa: A002 - Werkzeug's name
        """Return the rules, which are not bound to a map."""
        raise NotImplementedError


class _Changed(RuleFactory):
    def __init__(self, rules: Iterable[RuleFactory]) -> None:
        self.rules = rules

    def get_rules(self, map: "Map") -> Iterator["Rule"]:  # noqa: A002 - Werkzeug's name
        for factory in self.rules:
            for rule in factory.get_rules(map):
                copy = rule.empty()
                self.change(copy)
                yield copy

    def change(self, rule: "Rule") -> None:
        raise NotImplementedError


class Subdomain(_Changed):
    """Rules on a subdomain, which may contain variables: ``Subdomain("<lang>", [Rule("/")])``."""

    def __init__(self, subdomain: str, rules: Iterable[RuleFactory]) -> None:
        super().__init__(rules)
        self.subdomain = subdomain

    def change(self, rule: "Rule") -> None:
        rule.subdomain = self.subdomain


class Submount(_Changed):
    """Rules below a path: ``Submount("/shop", [Rule("/cart")])``."""

    def __init__(self, path: str, rules: Iterable[RuleFactory]) -> None:
        super().__init__(rules)
        self.path = path.rstrip("/")

    def change(self, rule: "Rule") -> None:
        """Prepend the path to the rule's path."""
        rule.rule = self.path + rule.rule


class EndpointPrefix(_Changed):
    """Rules with a prefix for their endpoints, which must be strings."""

    def __init__(self, prefix: str, rules: Iterable[RuleFactory]) -> None:
        super().__init__(rules)
        self.prefix = prefix

    def change(self, rule: "Rule") -> None:
        """Prepend the prefix to the rule's endpoint."""
        rule.endpoint = self.prefix + rule.endpoint


__all__ = [
    "EndpointPrefix", "Rule", "RuleFactory", "RuleTemplate", "RuleTemplateFactory", "Subdomain", "Submount",
    "parse_converter_args", "parse_rule",
]  # fmt: skip

_slashes = re.compile("/{2,}")
_WEBSOCKET_METHODS = {"GET", "HEAD", "OPTIONS"}


class Rule(RuleFactory):
    """A path such as ``/users/<int:id>``, and an endpoint, which may be any object.

    - ``methods``: the methods that the rule matches. GET includes HEAD.
    - ``defaults``: values that are not in the path. If another rule of the endpoint has them in its path, requests
      with these values are redirected to this rule.
    - ``build_only``: True for a rule that matches nothing.
    - ``strict_slashes``: a path that ends with a slash also matches without it, with a redirect if this is True.
    - ``merge_slashes``: True if repeated slashes match like a single one.
    - ``redirect_to``: a path, which may contain ``<name>``, or a function of the adapter and the values that returns
      one.
    - ``alias``: True to redirect to the endpoint's other rule.
    - ``subdomain``, ``host``: may contain variables too. The map determines which of them is used.

    Arguments that are None default to the map's settings. Raises ValueError if the path does not begin with a slash, or
    TypeError if ``methods`` is a single string.
    """

    def __init__(
        self,
        string: str,
        defaults: Mapping[str, Any] | None = None,
        subdomain: str | None = None,
        methods: Iterable[str] | None = None,
        build_only: bool = False,
        endpoint: Any = None,
        strict_slashes: bool | None = None,
        merge_slashes: bool | None = None,
        redirect_to: str | Callable[..., str] | None = None,
        alias: bool = False,
        host: str | None = None,
        websocket: bool = False,
    ) -> None:
        if not string.startswith("/"):
            raise ValueError(f"URL rule {string!r} must start with a slash.")
        self.rule = string
        self.is_branch = string.endswith("/")
        self.is_leaf = not self.is_branch
        self.map: Map = None  # type: ignore[assignment]  # until it is bound
        self.strict_slashes = strict_slashes
        self.merge_slashes = merge_slashes
        self.subdomain = subdomain
        self.host = host
        self.defaults = defaults
        self.build_only = build_only
        self.alias = alias
        self.websocket = websocket
        self.methods = _checked_methods(methods, websocket)
        self.endpoint = endpoint
        self.redirect_to = redirect_to
        self.arguments: set[str] = set(map(str, defaults or ()))
        self.parts: list[Part] = []
        self.readers: list[tuple[str, Callable[[str], Any] | None]] = []
        self._converters: dict[str, BaseConverter] = {}
        self._trace: list[tuple[bool, str]] = []

    def empty(self) -> "Rule":
        return type(self)(self.rule, **self.get_empty_kwargs())

    def get_empty_kwargs(self) -> dict[str, Any]:
        """Return the keyword arguments that ``empty`` passes to the copy. Subclasses add their own."""
        return {
            "defaults": dict(self.defaults) if self.defaults else None,
            "subdomain": self.subdomain,
            "methods": self.methods,
            "build_only": self.build_only,
            "endpoint": self.endpoint,
            "strict_slashes": self.strict_slashes,
            "redirect_to": self.redirect_to,
            "alias": self.alias,
            "host": self.host,
        }

    def get_rules(self, map: "Map") -> Iterator["Rule"]:  # noqa: A002, ARG002 - RuleFactory's signature
        yield self

    def refresh(self) -> None:
        """Rebind the rule after a change."""
        self.bind(self.map, rebind=True)

    def bind(self, map: "Map", rebind: bool = False) -> None:  # noqa: A002 - Werkzeug's name
        """Bind the rule to a map and adopt the map's settings. Raises RuntimeError if it is already bound."""
        if self.map is not None and not rebind:
            raise RuntimeError(f"url rule {self!r} already bound to map {self.map!r}")
        self.map = map
        map.changed()
        if self.strict_slashes is None:
            self.strict_slashes = map.strict_slashes
        if self.merge_slashes is None:
            self.merge_slashes = map.merge_slashes
        if self.subdomain is None:
            self.subdomain = map.default_subdomain
        self.compile()

    def get_converter(
        self,
        variable_name: str,  # noqa: ARG002 - for subclasses
        converter_name: str,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> BaseConverter:
        """Return the converter for a variable. Raises LookupError if the map has no converter with this name."""
        if converter_name not in self.map.converters:
            raise LookupError(f"the converter {converter_name!r} does not exist")
        return self.map.converters[converter_name](self.map, *args, **kwargs)

    def compile(self) -> None:
        """Prepare the rule for matching and building. Raises ValueError if it is malformed."""
        self._converters = {}
        domain = self._pieces((self.host if self.map.host_matching else self.subdomain) or "")
        path = self._pieces(_slashes.sub("/", self.rule) if self.merge_slashes else self.rule)
        self.parts = parts_of(domain) + parts_of(path)
        self.arguments.update(self._converters)
        self.readers = [(name, _reader(converter)) for name, converter in self._converters.items()]
        self._trace = [_traced(piece) for piece in (*domain, "|", *path)]
        defaults = self.defaults or {}
        self._domain, self._path = Template(domain, defaults), Template(path, defaults)
        self._required = self.arguments - set(defaults)

    @property
    def direct(self) -> Direct | None:
        """The rule's direct builder, or None if the URL depends on more than the path's values."""
        own = type(self)
        if own.build is not Rule.build or own.suitable_for is not Rule.suitable_for:
            return None
        if self.websocket or self._domain.names or self.map.host_matching:
            return None
        return Direct(self._domain, self._path, self.methods, self.defaults or {}, self._encode_query_vars)

    def _pieces(self, text: str) -> list[str | Variable]:
        pieces: list[str | Variable] = []
        for token in tokens(text):
            if isinstance(token, str):
                pieces.append(token)
                continue
            if token.name in self._converters:
                raise ValueError(f"{self.rule!r}: the variable name {token.name!r} is used twice")
            placed, named = parse_converter_args(token.arguments)
            converter = self.get_converter(token.name, token.converter, placed, named)
            self._converters[token.name] = converter
            pieces.append(Variable(token.name, converter))
        return pieces

    def convert(self, name: str, value: Any) -> str:
        return self._converters[name].to_url(value)

    def build(self, values: Mapping[str, Any], append_unknown: bool = True) -> tuple[str, str] | None:
        """Return the subdomain or host, and the path with other values as the query.

        Returns None if a converter rejects a value.
        """
        try:
            domain, path = self._domain.fill(values), self._path.fill(values)
        except ValidationError:
            return None
        if append_unknown and not self.arguments.issuperset(values):
            query = self._encode_query_vars({name: values[name] for name in values if name not in self.arguments})
            path = f"{path}?{query}" if query else path
        return domain, path

    def _encode_query_vars(self, query_vars: Mapping[str, Any]) -> str:
        items = iter_multi_items(query_vars)
        return encode_fields(sorted(items, key=self.map.sort_key) if self.map.sort_parameters else items)

    def provides_defaults_for(self, rule: "Rule") -> bool:
        """Return True if requests that match another rule with this rule's defaults are redirected to this rule."""
        if self.build_only or not self.defaults:
            return False
        return self.endpoint == rule.endpoint and self != rule and self.arguments == rule.arguments

    def suitable_for(self, values: Mapping[str, Any], method: str | None = None) -> bool:
        """Return True if no value is missing or contradicts a default, and the method, if given, is allowed."""
        if method is not None and self.methods is not None and method not in self.methods:
            return False
        for name in self._required:
            if name not in values:
                return False
        for name, value in self.defaults.items() if self.defaults else ():
            if name in values and values[name] != value:
                return False
        return True

    def build_compare_key(self) -> tuple[int, int, int]:
        """Return the sort key for building URLs. Aliases come last, and rules with more variables or defaults first."""
        return (1 if self.alias else 0, -len(self.arguments), -len(self.defaults or ()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self._trace == other._trace

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __str__(self) -> str:
        return self.rule

    def __repr__(self) -> str:
        if self.map is None:
            return f"<{type(self).__name__} (unbound)>"
        where = "".join([f"<{text}>" if is_variable else text for is_variable, text in self._trace]).lstrip("|")
        methods = f" ({', '.join(self.methods)})" if self.methods is not None else ""
        return f"<{type(self).__name__} {where!r}{methods} -> {self.endpoint}>"


class RuleTemplate:
    """Rules whose strings contain ``$name``. Call it with values to get a factory for the filled-in rules."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = list(rules)

    def __call__(self, *args: Any, **kwargs: Any) -> "RuleTemplateFactory":
        return RuleTemplateFactory(self.rules, dict(*args, **kwargs))


class RuleTemplateFactory(RuleFactory):
    """A template's rules with values filled in."""

    def __init__(self, rules: Iterable[RuleFactory], context: dict[str, Any]) -> None:
        self.rules = rules
        self.context = context

    def get_rules(self, map: "Map") -> Iterator[Rule]:  # noqa: A002 - Werkzeug's name
        """Yield each rule with values filled in. Raises KeyError for a missing value."""
        for factory in self.rules:
            for rule in factory.get_rules(map):
                yield self._filled(rule)

    def _filled(self, rule: Rule) -> Rule:
        return Rule(
            self._fill(rule.rule),
            defaults={name: self._fill(value) for name, value in rule.defaults.items()} if rule.defaults else None,
            subdomain=self._fill(rule.subdomain),
            methods=rule.methods,
            build_only=rule.build_only,
            endpoint=self._fill(rule.endpoint),
            strict_slashes=rule.strict_slashes,
        )

    def _fill(self, value: Any) -> Any:
        return TextTemplate(value).substitute(self.context) if isinstance(value, str) else value


def _checked_methods(methods: Iterable[str] | None, websocket: bool) -> set[str] | None:
    if methods is None:
        return None
    if isinstance(methods, str):
        raise TypeError("'methods' should be a list of strings.")
    names = {method.upper() for method in methods}
    if "GET" in names:
        names.add("HEAD")
    if websocket and names - _WEBSOCKET_METHODS:
        raise ValueError("WebSocket rules can only use 'GET', 'HEAD', and 'OPTIONS' methods.")
    return names


def _reader(converter: BaseConverter) -> Callable[[str], Any] | None:
    """Return the function that converts text to a value, or None if the text is the value."""
    if type(converter).to_python is BaseConverter.to_python:
        return None
    if type(converter) is IntegerConverter and converter.takes_any:
        return _integer
    return converter.to_python


def _integer(digits: str) -> int:
    try:
        return int(digits)
    except ValueError as error:  # more digits than Python converts
        raise ValidationError from error


def _traced(piece: str | Variable) -> tuple[bool, str]:
    return (False, piece) if isinstance(piece, str) else (True, piece.name)

"""The signature base: the components of a message that a signature covers, in the form that is signed (RFC 9421 §2)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, Literal, NamedTuple, TypeAlias
from urllib.parse import quote, unquote

from antiphon import Request, explained
from antiphon.embedding import Head, is_token, quote_path, quoted_paths
from antiphon.http import (
    InnerList,
    Item,
    format_structured_dictionary,
    format_structured_list,
    parse_query,
    parse_structured_dictionary,
    parse_structured_list,
)
from antiphon.types import BareItem

StructuredKind: TypeAlias = Literal["item", "list", "dictionary"]
"""A structured field's kind (RFC 9651 §3)."""

MOST_COMPONENTS = 64
"""The maximum number of components in a signature."""

REQUEST_COMPONENTS = (
    "@method", "@authority", "@scheme", "@target-uri", "@request-target", "@path", "@query", "@query-param",
)  # fmt: skip
"""The derived components of a request (RFC 9421 §2.2)."""

_INCLUDES: Final = {"@target-uri": ("@scheme", "@authority", "@path", "@query"), "@request-target": ("@path", "@query")}
"""The derived components that are contained in other ones."""

STRUCTURED: Final[Mapping[str, StructuredKind]] = {
    "accept-signature": "dictionary", "cache-status": "list", "client-cert": "item", "client-cert-chain": "list",
    "content-digest": "dictionary", "idempotency-key": "item", "priority": "dictionary", "proxy-status": "list",
    "repr-digest": "dictionary", "signature": "dictionary", "signature-agent": "dictionary",
    "signature-input": "dictionary", "want-content-digest": "dictionary", "want-repr-digest": "dictionary",
}  # fmt: skip
"""The fields known to be structured, for the ``sf`` parameter (RFC 9421 §2.1.1)."""

Line: TypeAlias = tuple[str, str]
Identity: TypeAlias = tuple[BareItem, frozenset[tuple[str, BareItem]]]


def component_of(text: str) -> Item:
    """Return a component's identifier, given as a name or in quotes with parameters.

    Examples are ``@path``, ``content-type`` and ``"@query-param";name="id"``. Raises TypeError or ValueError for
    anything else.
    """
    if not isinstance(text, str):
        raise explained("bad-component", f"a component must be text, such as '@path', not {text!r}", TypeError)
    try:
        item = Item.parse(text) if text[:1] == '"' else Item(text.lower())
        _check_identifier(item)
    except ValueError as error:
        raise explained("bad-component", f"{text!r} is not a component of a message: {error}") from None
    return item


def identity_of(item: Item) -> Identity:
    """Return a component's name and parameters, whose order is insignificant (RFC 9421 §2)."""
    return item.value, frozenset(item.parameters.items())


@lru_cache(maxsize=256)
def coverage(items: tuple[Item, ...]) -> frozenset[Identity]:
    """Return the identities of a signature's components, and of the components that these contain.

    Some results are cached, since a signer covers the same components each time. Raises the same ValueError as
    ``check_covered``.
    """
    check_covered(items)
    found = {identity_of(item) for item in items}
    for item in items:
        if not item.parameters:
            found.update((name, frozenset()) for name in _INCLUDES.get(str(item.value), ()))
    return frozenset(found)


def check_covered(items: Sequence[Item]) -> None:
    """Check a signature's components. Raises ValueError if there are too many, or if any is malformed or repeated."""
    if len(items) > MOST_COMPONENTS:
        raise ValueError(f"it covers more than {MOST_COMPONENTS} components")
    for item in items:
        _check_identifier(item)
    if len({identity_of(item) for item in items}) != len(items):
        raise ValueError("it covers a component twice")


_FLAGS: Final = ("sf", "bs", "tr", "req")


def _check_identifier(item: Item) -> None:
    name, parameters = item.value, item.parameters
    if type(name) is not str or name != name.lower() or not is_token(name.removeprefix("@")):
        raise ValueError(f"a component must be a lower-case name in quotes, not {item}")
    if any(parameters[flag] is not True for flag in _FLAGS if flag in parameters):
        raise ValueError(f"a flag has no value in {item}")
    if "tr" in parameters:
        raise ValueError(f"trailers are not received, so {item} can't be checked")
    if name[:1] == "@":
        known = (*REQUEST_COMPONENTS, "@status")
        if name not in known:
            raise ValueError(f"no message has the component {item}")
        wanted = {"name"} if name == "@query-param" else set[str]()
        if parameters.keys() - {"req"} != wanted or type(parameters.get("name", "")) is not str:
            raise ValueError(f"the parameters of {item} must be {' '.join(wanted) or 'absent'}")
        return
    if unknown := parameters.keys() - {"sf", "bs", "key", "req"}:
        raise ValueError(f"a field has no parameter {min(unknown)!r}, as in {item}")
    if "bs" in parameters and ("sf" in parameters or "key" in parameters):
        raise ValueError(f"the parameter bs excludes sf and key in {item}")
    if type(parameters.get("key", "")) is not str:
        raise ValueError(f"the parameter key must be text, unlike in {item}")


class Components(NamedTuple):
    """The message whose components are looked up: a request, or a response with the request that it responds to."""

    lines: Sequence[Line]
    """The header fields: names in lower case, and values."""
    head: Head | None
    """The request's head; None for a response whose request is unknown."""
    status: int | None = None
    """A response's status; None for a request."""

    def base(self, covered: InnerList) -> bytes:
        """Return the signature base (RFC 9421 §2.5). Raises ValueError, with the reason, if it can't be made."""
        lines = [f"{item}: {self.value(item)}" for item in covered.items]
        lines.append(f'"@signature-params": {covered}')
        text = "\n".join(lines)
        if text.count("\n") != len(covered.items) or "\r" in text:
            raise ValueError("a component contains a line break")
        try:
            return text.encode("ascii")
        except UnicodeEncodeError:
            raise ValueError("a component is not ASCII: its signer has to use the parameter bs") from None

    def value(self, item: Item) -> str:
        """Return a component's value. Raises ValueError, with the reason, if the message does not have the
        component."""
        name, parameters = str(item.value), item.parameters
        is_of_request = self.status is None
        if "req" in parameters:
            if is_of_request:
                raise ValueError(f"{item} is for responses")
            if self.head is None:
                raise ValueError(f"the request of {item} is not known")
        if name[:1] != "@":
            lines = self.head.fields() if "req" in parameters and self.head is not None else self.lines
            return _field_value(lines, item)
        if name == "@status":
            if is_of_request or parameters:
                raise ValueError("only a response has a @status")
            return str(self.status)
        if not is_of_request and "req" not in parameters:
            raise ValueError(f"only a request has {item}: a response covers it with the parameter req")
        if self.head is None:
            raise ValueError(f"the request of {item} is not known")
        if name == "@query-param":
            return _query_parameter(self.head, str(parameters["name"]))
        return _DERIVED[name](self.head)


# Fields


def _field_value(lines: Iterable[Line], item: Item) -> str:
    name, parameters = str(item.value), item.parameters
    values = [value.strip(" \t") for known, value in lines if known == name]
    if not values:
        raise ValueError(f"the message has no field {name}")
    if not parameters or parameters.keys() == {"req"}:
        return ", ".join(values)
    if "bs" in parameters:
        return format_structured_list([value.encode("latin-1") for value in values])
    combined = ", ".join(values)
    if "key" in parameters:
        return _member_value(combined, item, str(parameters["key"]))
    kind = STRUCTURED.get(name)
    if kind is None:
        raise ValueError(f"{name} is not known to be a structured field")
    return _STRICT[kind](combined)


def _member_value(combined: str, item: Item, key: str) -> str:
    members = parse_structured_dictionary(combined)
    if key not in members:
        raise ValueError(f"the field has no member {item}")
    return str(members[key])


_STRICT: Final[Mapping[StructuredKind, Callable[[str], str]]] = {
    "item": lambda text: str(Item.parse(text)),
    "list": lambda text: format_structured_list(parse_structured_list(text)),
    "dictionary": lambda text: format_structured_dictionary(parse_structured_dictionary(text)),
}
"""Serialize a structured field again (RFC 9421 §2.1.1)."""


# Derived components


def _authority(head: Head) -> str:
    """Return the host and port, in lower case, without the scheme's default port (RFC 9421 §2.2.3)."""
    request = Request(head)
    if not request.host:
        raise ValueError("the host is malformed or missing")
    return request.url.origin.partition("://")[2]


def _path(head: Head) -> str:
    """Return the whole path as it was sent, percent-encoded, if it is the path that is handled (RFC 9421 §2.2.6)."""
    path, root, raw = head.path, head.root_path, head.raw_path
    if raw is not None:
        whole, sent = root + path, unquote(raw)
        if whole == sent or (path == "/" and root == sent):
            return raw.decode("latin-1") or "/"
        if root and whole.endswith(sent):  # a proxy has removed its prefix
            return quote_path(whole.removesuffix(sent)) + raw.decode("latin-1")
    return "".join(quoted_paths(head))


def _query(head: Head) -> str:
    return f"?{head.query_string.decode('latin-1')}"


def _request_target(head: Head) -> str:
    if head.path == "*":
        return "*"
    return _path(head) + (_query(head) if head.query_string else "")


def _target_uri(head: Head) -> str:
    target = "" if head.path == "*" else _request_target(head)
    return f"{head.scheme}://{_authority(head)}{target}"


def _query_parameter(head: Head, name: str) -> str:
    """Return a query field's value, encoded again (RFC 9421 §2.2.8).

    Raises ValueError unless the query has exactly one such field.
    """
    values = [value for known, value in parse_query(head.query_string) if _encoded(known) == name]
    if len(values) != 1:
        raise ValueError(f"the query has {len(values) or 'no'} fields named {name!r}, not one")
    if "\ufffd" in values[0]:
        raise ValueError(f"the field {name!r} of the query is not UTF-8")
    return _encoded(values[0])


def _encoded(text: str) -> str:
    return quote(text, safe="*", errors="replace").replace("~", "%7E")


_DERIVED: Final[Mapping[str, Callable[[Head], str]]] = {
    "@method": lambda head: head.method,
    "@authority": _authority,
    "@scheme": lambda head: head.scheme,
    "@target-uri": _target_uri,
    "@request-target": _request_target,
    "@path": _path,
    "@query": _query,
}
"""The derived components of a request, except those that have parameters."""

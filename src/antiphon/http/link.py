"""Links in headers: `</page/3>; rel="next"` (RFC 8288)."""

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Self

from antiphon.explanations import explained
from antiphon.http.grammar import (
    OWS,
    QUOTED_STRING,
    Value,
    encode_extended,
    find_control,
    is_token,
    quote_if_needed,
    read_extended,
    split_parameters,
    unquote_string,
)
from antiphon.http.headers import read_raw_utf8
from antiphon.lazy import compiled_late

_MOST_LINKS = 200

_links = compiled_late(rf'(?:[^",<]++|<[^>]*+>?|{QUOTED_STRING})++', re.DOTALL)
_link = compiled_late(r"[ \t]*+<([^>]*+)>[ \t]*+(?:;(.*))?", re.DOTALL)
_target = compiled_late(r"[!#-;=?-~]*+")
_relations = compiled_late(r"[!#-\[\]-~]++(?>(?: [!#-\[\]-~]++)*)")


class Link(Value):
    """A target, its relation types, and parameters (RFC 8288 §3). Immutable.

        link = Link("/orders?page=2", "next")

    ``target`` is a URI reference as written between the brackets: ASCII, with percent-escapes. ``rel`` is one relation
    type, or several separated by spaces. ``parameters`` contains the rest by name ("title", "type", "anchor"), decoded;
    "" means a parameter without a value (`crossorigin`). Types and names are kept in lower case. Raises ValueError for
    a target that isn't a URI reference, a missing relation type, names that aren't tokens, and control characters.
    """

    __slots__ = ("_parameters", "_rel", "_target")

    _target: str
    _rel: str
    _parameters: dict[str, str]

    def __init__(self, target: str, rel: str, parameters: Mapping[str, str] | None = None) -> None:
        if not _target.fullmatch(target):
            raise explained(
                "bad-http-value",
                f"a link's target must be a URI in ASCII, its spaces percent-encoded, not {target[:80]!r}",
            )
        if not _relations.fullmatch(rel):
            raise explained(
                "bad-http-value", f"a link needs relation types, with one space between them, not {rel[:80]!r}"
            )
        self._target = target
        self._rel = rel.lower()
        self._parameters = {name.lower(): value for name, value in (parameters or {}).items()}
        for name, value in self._parameters.items():
            if not is_token(name) or name[-1] == "*" or name in ("rel", "rev"):
                raise explained("bad-http-value", f"a link's parameter can't be named {name!r}")
            if find_control(value):
                raise explained("bad-http-value", f"a link can't contain control characters: {value[:80]!r}")
            value.encode()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one link. `title*` takes precedence over `title`, and so on; if a parameter is repeated, the first one
        applies.

        Raises ValueError if the target in brackets or the relation type is missing, and for anything that ``Link``
        refuses.
        """
        match = _link.fullmatch(text)
        if match is None:
            raise ValueError(f"not a link: {text[:80]!r}")
        parameters = _read_parameters(match[2] or "")
        return cls(match[1].strip(OWS), " ".join(parameters.pop("rel", "").split()), parameters)

    @property
    def target(self) -> str:
        """The target: a URI reference, relative to the URL of the response."""
        return self._target

    @property
    def rel(self) -> str:
        """The relation types, in lower case, with a space between: "next", "stylesheet preload"."""
        return self._rel

    @property
    def relations(self) -> tuple[str, ...]:
        """The relation types, one by one."""
        return tuple(self._rel.split(" "))

    @property
    def title(self) -> str | None:
        """The title, in any script; None if there is none."""
        return self._parameters.get("title")

    @property
    def parameters(self) -> Mapping[str, str]:
        """The other parameters, decoded, by name in lower case; read-only."""
        return MappingProxyType(self._parameters)

    def __str__(self) -> str:
        """Return the header's value in ASCII; other text is printed as `title*` (RFC 8187)."""
        relations = f'"{self._rel}"' if " " in self._rel else quote_if_needed(self._rel)
        return f"<{self._target}>; rel={relations}{''.join(map(_format_parameter, self._parameters.items()))}"

    def __repr__(self) -> str:
        return f"Link({self._target!r}, {self._rel!r}, {self._parameters!r})"

    def _identity(self) -> tuple[str, str, frozenset[tuple[str, str]]]:
        return self._target, self._rel, frozenset(self._parameters.items())


def parse_links(value: str) -> list[Link]:
    """Return the links in the first 200 elements of a Link header (RFC 8288 §3), in order, without malformed ones.

    A comma inside brackets or quotes doesn't separate elements. Never raises.
    """
    links = []
    for match in islice(_links.finditer(value), _MOST_LINKS):
        try:
            links.append(Link.parse(match[0]))
        except ValueError:
            continue
    return links


def format_links(links: Iterable[Link]) -> str:
    """Return the value of a Link header for these links (RFC 8288 §3)."""
    return ", ".join(map(str, links))


def _read_parameters(written: str) -> dict[str, str]:
    """Return the parameters, decoded, without malformed ones."""
    plain: dict[str, str] = {}
    extended: dict[str, str] = {}
    for name, value in split_parameters(read_raw_utf8(written)):
        text = unquote_string(value)
        if name[-1] != "*":
            if not find_control(text):
                plain.setdefault(name, text)
        elif (decoded := read_extended(text)) is not None:
            extended.setdefault(name[:-1], decoded)
    plain.pop("rev", None)
    return plain | {name: text for name, text in extended.items() if name not in ("", "rel", "rev")}


def _format_parameter(parameter: tuple[str, str]) -> str:
    name, value = parameter
    if not value:
        return f"; {name}"
    return f"; {name}={quote_if_needed(value)}" if value.isascii() else f"; {name}*={encode_extended(value)}"

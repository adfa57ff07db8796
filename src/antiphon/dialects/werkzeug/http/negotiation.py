"""What a client accepts, and how responses are kept."""

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from antiphon.dialects.werkzeug import datastructures as ds
from antiphon.dialects.werkzeug.http.lists import parse_dict_header
from antiphon.dialects.werkzeug.http.options import dump_options_header
from antiphon.dialects.werkzeug.keeping import LONGEST_KEPT
from antiphon.http.grammar import TCHARS, read_weighted, split_weight, weighted_element

if TYPE_CHECKING:
    from antiphon.dialects.werkzeug.datastructures import Accept, RequestCacheControl

A = TypeVar("A", bound="Accept")
C = TypeVar("C")

_element = weighted_element(rf"{TCHARS}(?:/{TCHARS})?+", parameters=True)


@overload
def parse_accept_header(value: str | None, cls: None = None) -> "Accept": ...
@overload
def parse_accept_header(value: str | None, cls: type[A]) -> A: ...
def parse_accept_header(value: str | None, cls: "type[A] | None" = None) -> "A | Accept":
    """What is accepted, as ``cls``, by default an Accept; elements whose quality is none are passed over.

    What was read is kept for a while: it does not change, and the same few values come with most requests.
    """
    made = ds.Accept if cls is None else cls
    if not value:
        return made(None)
    return _parse(value, made) if len(value) > LONGEST_KEPT else _parse_kept(value, made)


def _parse(value: str, cls: "type[A]") -> A:
    return cls([(name, quality) for item in read_weighted(_element, value) for name, quality in _separate(*item)])


@lru_cache(256)
def _parse_kept(value: str, cls: "type[Accept]") -> Any:
    return _parse(value, cls)


def _separate(item: str, quality: float) -> list[tuple[str, float]]:
    """An element with parameters, of which one may be the quality."""
    if ";" not in item:
        return [(item, quality)]
    name, _, written = item.partition(";")
    try:
        parameters, weight = split_weight(written)
    except ValueError:
        return []
    return [(dump_options_header(name.rstrip(), parameters), min(weight, quality))]


@overload
def parse_cache_control_header(
    value: str | None, on_update: Callable[..., None] | None = None, cls: None = None
) -> "RequestCacheControl": ...
@overload
def parse_cache_control_header(value: str | None, on_update: Callable[..., None] | None, cls: type[C]) -> C: ...
def parse_cache_control_header(
    value: str | None, on_update: Callable[..., None] | None = None, cls: type[C] | None = None
) -> "C | RequestCacheControl":
    """The directives, as ``cls``, by default those of a request."""
    make = cast("Callable[..., C]", ds.RequestCacheControl if cls is None else cls)
    made: C | RequestCacheControl = make(parse_dict_header(value) if value else (), on_update)
    return made

"""Predicates of views, routes and subscribers by name, their order, and comparison of predicate lists."""

from difflib import get_close_matches
from hashlib import sha256
from typing import Any

from zope.interface import implementer

from antiphon.dialects.pyramid.exceptions import ConfigurationError
from antiphon.dialects.pyramid.interfaces import PHASE1_CONFIG, IPredicateInfo, IPredicateList
from antiphon.dialects.pyramid.predicates import Notted
from antiphon.dialects.pyramid.registry import predvalseq
from antiphon.dialects.pyramid.util import TopologicalSorter, bytes_, is_nonstr_iter

MAX_ORDER = 1 << 30
"""The order of a view without predicates, which comes last."""
DEFAULT_PHASH = sha256().hexdigest()
"""The hash of an empty list of predicates."""


class PredicateConfiguratorMixin:
    """Directives for custom predicates."""

    def get_predlist(self, name: str) -> "PredicateList":
        """Return the predicates of one kind: view, route or subscriber."""
        registry: Any = self.registry  # type: ignore[attr-defined]  # the configurator defines it
        found: PredicateList | None = registry.queryUtility(IPredicateList, name=name)
        if found is None:
            found = PredicateList()
            registry.registerUtility(found, IPredicateList, name=name)
        return found

    def _add_predicate(
        self,
        type: str,  # noqa: A002 - Pyramid's name
        name: str,
        factory: Any,
        weighs_more_than: Any = None,
        weighs_less_than: Any = None,
    ) -> None:
        config: Any = self
        factory = config.maybe_dotted(factory)
        discriminator = (f"{type} option", name)
        intr = config.introspectable(
            f"{type} predicates", discriminator, f"{type} predicate named {name}", f"{type} predicate"
        )
        intr.update(name=name, factory=factory, weighs_more_than=weighs_more_than, weighs_less_than=weighs_less_than)

        def register() -> None:
            self.get_predlist(type).add(name, factory, weighs_more_than, weighs_less_than)

        config.action(discriminator, register, introspectables=(intr,), order=PHASE1_CONFIG)


class not_:  # noqa: N801 - Pyramid's name
    """A wrapper that negates a predicate when used as its value: ``add_view(..., request_method=not_("POST"))``."""

    def __init__(self, value: Any) -> None:
        self.value = value


@implementer(IPredicateInfo)
class PredicateInfo:
    """Information about the application, as passed to predicates."""

    def __init__(self, package: Any, registry: Any, settings: Any, maybe_dotted: Any) -> None:
        self.package = package
        self.registry = registry
        self.settings = settings
        self.maybe_dotted = maybe_dotted


@implementer(IPredicateList)
class PredicateList:
    """The predicates of one kind by name, in ascending order of weight."""

    def __init__(self) -> None:
        self.sorter = TopologicalSorter()
        self.last_added: str | None = None

    def add(self, name: str, factory: Any, weighs_more_than: Any = None, weighs_less_than: Any = None) -> None:
        self.last_added = name
        self.sorter.add(name, factory, after=weighs_more_than, before=weighs_less_than)

    def names(self) -> list[str]:
        return self.sorter.names

    def make(self, config: Any, **kw: Any) -> tuple[int, list[Any], str]:
        """Return the order, predicates and hash for values by predicate name. None means no value.

        More predicates and heavier predicates result in a lower order. Raises ConfigurationError for an unknown name.
        """
        ordered = self.sorter.sorted()
        info = PredicateInfo(config.package, config.registry, config.get_settings(), config.maybe_dotted)
        phash, score, made = sha256(), 0, []
        for index, (name, factory) in enumerate(ordered):
            values = kw.pop(name, None)
            if values is None:
                continue
            for value in values if isinstance(values, predvalseq) else (values,):
                predicate = factory(value.value, info) if isinstance(value, not_) else factory(value, info)
                predicate = Notted(predicate) if isinstance(value, not_) else predicate
                hashes = predicate.phash()
                for each in hashes if is_nonstr_iter(hashes) else [hashes]:
                    phash.update(bytes_(each))
                score |= 1 << (index + 1)
                made.append(predicate)
        if kw:
            raise _unknown(kw, [name for name, _ in ordered])
        return (MAX_ORDER - score) // (len(made) + 1), made, phash.hexdigest()


def _unknown(values: dict[str, Any], names: list[str]) -> ConfigurationError:
    close = [match for name in values for match in get_close_matches(name, names, 3)]
    return ConfigurationError(f"Unknown predicate values: {values!r} (did you mean {','.join(close)})")


def normalize_accept_offer(offer: str) -> str:
    from antiphon.dialects.webob.acceptparse import Accept

    return str(Accept.parse_offer(offer))


def sort_accept_offers(offers: Any, order: Any = None) -> list[str]:
    """Sort media types by preference. Those with parameters come before those without."""
    from antiphon.dialects.webob.acceptparse import Accept

    ranks: dict[str, int] = {offer: index for index, offer in reversed([*enumerate(order or ())])}
    last = len(offers)

    def rank(offer: str) -> tuple[int, int]:
        parsed = Accept.parse_offer(offer)
        kind = ranks.get(f"{parsed.type}/{parsed.subtype}", last)
        return kind, ranks.get(offer, last) if parsed.params else last + 1

    return sorted(offers, key=rank)

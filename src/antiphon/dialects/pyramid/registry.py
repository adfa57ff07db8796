"""An application's registry: zope.interface's components, settings, and a dictionary for everything else."""

from collections.abc import Callable, Iterable
from operator import attrgetter
from threading import Lock
from typing import Any

from zope.interface import implementer
from zope.interface.adapter import AdapterRegistry
from zope.interface.registry import Components

from antiphon.dialects.pyramid.decorator import reify
from antiphon.dialects.pyramid.interfaces import IIntrospectable, IIntrospector, ISettings
from antiphon.dialects.pyramid.path import CALLER_PACKAGE, caller_package
from antiphon.embedding import require_names

require_names("zope.interface", "8", Components, "_init_registries")


class CountedAdapters(AdapterRegistry):
    """Adapters that count their changes, so lookups can be cached until the next change."""

    def __init__(self, registry: "Registry") -> None:
        self._counting = registry
        super().__init__()

    def changed(self, originally_changed: Any) -> None:
        """Count a change in this registry or one of its bases."""
        self._counting.generation += 1
        super().changed(originally_changed)


class Registry(Components, dict[Any, Any]):
    """An application's components (see zope.interface), its settings, and other values by key."""

    has_listeners = False
    """True if there may be subscribers."""
    generation = 0
    """The number of changes to adapters and utilities. If it is the same as before, nothing has been registered."""
    _settings: Any = None

    def __init__(self, package_name: Any = CALLER_PACKAGE, *args: Any, **kw: Any) -> None:
        self._lock = Lock()
        self._view_lookup_cache: dict[Any, Any] = {}
        if package_name is CALLER_PACKAGE:
            package_name = caller_package().__name__
        self.package_name = package_name
        Components.__init__(self, package_name, *args, **kw)
        dict.__init__(self)

    def _init_registries(self) -> None:
        self.adapters = CountedAdapters(self)
        self.utilities = CountedAdapters(self)

    def __bool__(self) -> bool:
        return True  # even if empty

    def _clear_view_lookup_cache(self) -> None:
        self._view_lookup_cache = {}

    def registerSubscriptionAdapter(self, *arg: Any, **kw: Any) -> Any:  # noqa: N802 - zope's name
        result = Components.registerSubscriptionAdapter(self, *arg, **kw)
        self.has_listeners = True
        return result

    def registerHandler(self, *arg: Any, **kw: Any) -> Any:  # noqa: N802 - zope's name
        """Register a subscriber whose result is ignored."""
        result = Components.registerHandler(self, *arg, **kw)
        self.has_listeners = True
        return result

    def registerSelfAdapter(  # noqa: N802 - Pyramid's name
        self, required: Any = None, provided: Any = None, name: str = "", info: str = "", event: bool = True
    ) -> Any:
        """Register objects that provide an interface as their own adapters."""
        return self.registerAdapter(
            lambda x: x, required=required, provided=provided, name=name, info=info, event=event
        )

    def queryAdapterOrSelf(self, object: Any, interface: Any, default: Any = None) -> Any:  # noqa: A002, N802
        """Return an object if it provides the interface, or else its adapter, or else the default."""
        return object if interface.providedBy(object) else self.queryAdapter(object, interface, default=default)

    def notify(self, *events: Any) -> None:
        """Notify all subscribers of an event, which may consist of several objects."""
        if self.has_listeners:
            for _ in self.subscribers(events, None):
                pass

    @property
    def settings(self) -> Any:
        """A dictionary with the settings, or None if there are none yet."""
        if self._settings is None:
            self._settings = self.queryUtility(ISettings)
        return self._settings

    @settings.setter
    def settings(self, settings: Any) -> None:
        self.registerUtility(settings, ISettings)
        self._settings = settings


class Deferred:
    """A value that is computed when it is first needed."""

    def __init__(self, func: Callable[[], Any]) -> None:
        self.func = func

    @reify
    def value(self) -> Any:
        value = self.func()
        del self.func
        return value

    def resolve(self) -> Any:
        return self.value


def undefer(v: Any) -> Any:
    """Return the value of a deferred object. Return any other object unchanged."""
    return v.resolve() if isinstance(v, Deferred) else v


class predvalseq(tuple[Any, ...]):  # noqa: N801 - Pyramid's name
    """Several values for one predicate."""


@implementer(IIntrospectable)
class Introspectable(dict[str, Any]):
    """An entry in the record of the configuration, with a category, a key within it, and values."""

    order = 0
    action_info: Any = None

    def __init__(self, category_name: str, discriminator: Any, title: str, type_name: str) -> None:
        super().__init__()
        self.category_name = category_name
        self.discriminator = discriminator
        self.title = title
        self.type_name = type_name
        self._relations: list[tuple[bool, str, Any]] = []

    def relate(self, category_name: str, discriminator: Any) -> None:
        """Relate this entry to another one as soon as both are registered."""
        self._relations.append((True, category_name, discriminator))

    def unrelate(self, category_name: str, discriminator: Any) -> None:
        """Remove a relation as soon as this entry is registered."""
        self._relations.append((False, category_name, discriminator))

    @property
    def discriminator_hash(self) -> int:
        return hash(undefer(self.discriminator))

    def register(self, introspector: Any, action_info: Any) -> None:
        """Add this entry and its relations to an introspector."""
        self.discriminator = undefer(self.discriminator)
        self.action_info = action_info
        introspector.add(self)
        for relates, category_name, discriminator in self._relations:
            change = introspector.relate if relates else introspector.unrelate
            change((self.category_name, self.discriminator), (category_name, undefer(discriminator)))

    def __hash__(self) -> int:  # type: ignore[override]  # the key never changes
        return hash((self.category_name, undefer(self.discriminator)))

    def __bool__(self) -> bool:
        return True  # even if empty

    def __repr__(self) -> str:
        return f"<{type(self).__name__} category {self.category_name!r}, discriminator {undefer(self.discriminator)!r}>"


@implementer(IIntrospector)
class Introspector:
    """The record of the configuration, by category and key."""

    def __init__(self) -> None:
        self._refs: dict[Introspectable, list[Introspectable]] = {}
        self._categories: dict[str, dict[Any, Introspectable]] = {}
        self._counter = 0

    def add(self, intr: Introspectable) -> None:
        """Add an entry. It replaces an entry with the same key."""
        intr.order = self._counter
        self._counter += 1
        category = self._categories.setdefault(intr.category_name, {})
        category[intr.discriminator] = category[intr.discriminator_hash] = intr

    def get(self, category_name: str, discriminator: Any, default: Any = None) -> Any:
        """Return the entry with the given key, or with the given hash of a key, or the default."""
        return self._categories.get(category_name, {}).get(discriminator, default)

    def get_category(
        self, category_name: str, default: Any = None, sort_key: Callable[[Any], Any] | None = None
    ) -> Any:
        """Return a category's entries in order, each with its related entries, or the default."""
        category = self._categories.get(category_name)
        if category is None:
            return default
        entries = sorted(set(category.values()), key=sort_key or attrgetter("order"))
        return [{"introspectable": entry, "related": self.related(entry)} for entry in entries]

    def categorized(self, sort_key: Callable[[Any], Any] | None = None) -> list[tuple[str, Any]]:
        return [(name, self.get_category(name, sort_key=sort_key)) for name in self.categories()]

    def categories(self) -> list[str]:
        """Return the sorted names of all categories."""
        return sorted(self._categories)

    def remove(self, category_name: str, discriminator: Any) -> None:
        """Remove an entry and its relations if it exists."""
        intr = self.get(category_name, discriminator)
        if intr is None:
            return
        for other in self._refs.pop(intr, []):
            if other in self._refs:
                self._refs[other].remove(intr)
        for key in (intr.discriminator, intr.discriminator_hash):
            self._categories[category_name].pop(key, None)

    def _entries(self, pairs: Iterable[tuple[str, Any]]) -> list[Introspectable]:
        return [self._categories[category_name][discriminator] for category_name, discriminator in pairs]

    def relate(self, *pairs: tuple[str, Any]) -> None:
        """Relate entries, given by category and key, to each other. Raises KeyError for an unknown entry."""
        entries = self._entries(pairs)
        for one in entries:
            related = self._refs.setdefault(one, [])
            related += [other for other in entries if other is not one and other not in related]

    def unrelate(self, *pairs: tuple[str, Any]) -> None:
        """Remove relations. Raises KeyError for an unknown entry."""
        entries = self._entries(pairs)
        for one in entries:
            related = self._refs.get(one, [])
            for other in entries:
                if other in related:
                    related.remove(other)

    def related(self, intr: Introspectable) -> list[Introspectable]:
        """Return the entries related to the given one. Raises KeyError for an unknown entry."""
        entry = self._categories[intr.category_name][intr.discriminator]
        return self._refs.get(entry, [])


global_registry = Registry("global")
"""The registry that is current outside of applications."""

"""Directives for tweens and their order."""

from typing import Any

from zope.interface import implementer

from antiphon.dialects.pyramid.config.actions import action_method
from antiphon.dialects.pyramid.exceptions import ConfigurationError
from antiphon.dialects.pyramid.interfaces import ITweens
from antiphon.dialects.pyramid.tweens import EXCVIEW, INGRESS, MAIN, excview_tween_factory
from antiphon.dialects.pyramid.util import TopologicalSorter, is_nonstr_iter, is_string_or_iterable


@implementer(ITweens)
class Tweens:
    """The tweens in order: those listed in the settings, or else all that were added."""

    def __init__(self) -> None:
        self.sorter = TopologicalSorter(default_before=None, default_after=INGRESS, first=INGRESS, last=MAIN)
        self.explicit: list[tuple[str, Any]] = []

    def add_explicit(self, name: str, factory: Any) -> None:
        self.explicit.append((name, factory))

    def add_implicit(self, name: str, factory: Any, under: Any = None, over: Any = None) -> None:
        """Add a tween, together with the tweens that must be over or under it."""
        self.sorter.add(name, factory, after=under, before=over)

    def implicit(self) -> list[tuple[str, Any]]:
        """Return the tweens that were added, outermost first."""
        return self.sorter.sorted()

    def __call__(self, handler: Any, registry: Any) -> Any:
        for _, factory in reversed(self.explicit or self.implicit()):
            handler = factory(handler, registry)
        return handler


class TweensConfiguratorMixin:
    @action_method
    def add_tween(self, tween_factory: str, under: Any = None, over: Any = None) -> None:
        """Add a tween, given the dotted name of its factory, which is a function of a handler and the registry.

        ``under`` and ``over`` are one or several of these: names of tweens, INGRESS or MAIN. Raises ConfigurationError
        for any other value.
        """
        self._add_tween(tween_factory, under=under, over=over)

    def add_default_tweens(self) -> None:
        """Add the tween that handles exceptions."""
        self._add_tween(EXCVIEW)

    @action_method
    def _add_tween(self, tween_factory: Any, under: Any = None, over: Any = None, explicit: bool = False) -> None:
        config: Any = self
        name = tween_factory
        _check(name, under, over)
        factory = excview_tween_factory if name == EXCVIEW else config.maybe_dotted(name)
        tweens = config.registry.queryUtility(ITweens)
        if tweens is None:
            tweens = Tweens()
            config.registry.registerUtility(tweens, ITweens)

        def register() -> None:
            if explicit:
                tweens.add_explicit(name, factory)
            else:
                tweens.add_implicit(name, factory, under=under, over=over)

        kind = "explicit" if explicit else "implicit"
        discriminator = ("tween", name, explicit)
        intr = config.introspectable("tweens", discriminator, name, f"{kind} tween")
        intr.update(name=name, factory=factory, type=kind, under=under, over=over)
        config.action(discriminator, register, introspectables=(intr,))


def _check(name: Any, under: Any, over: Any) -> None:
    if not isinstance(name, str):
        raise ConfigurationError(
            'The "tween_factory" argument to add_tween must be a dotted name to a globally importable object,'
            f" not {name!r}"
        )
    if name in (MAIN, INGRESS):
        raise ConfigurationError(f"{name} is a reserved tween name")
    for word, place in (("over", over), ("under", under)):
        if place is not None and not is_string_or_iterable(place):
            raise ConfigurationError(f'"{word}" must be a string or iterable, not {place}')
    if INGRESS in (over if is_nonstr_iter(over) else (over,)):
        raise ConfigurationError(f"{name} cannot be over INGRESS")
    if MAIN in (under if is_nonstr_iter(under) else (under,)):
        raise ConfigurationError(f"{name} cannot be under MAIN")

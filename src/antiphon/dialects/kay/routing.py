"""Rules that know their views, and groups of rules."""

from collections.abc import Callable, Iterator
from typing import Any

from antiphon.dialects.werkzeug import routing
from antiphon.dialects.werkzeug.routing.rules import EndpointPrefix, RuleFactory, Submount
from antiphon.dialects.werkzeug.utils import import_string

View = Callable[..., Any]
Named = View | str | tuple[type | str, tuple[Any, ...], dict[str, Any]]
"""A view: a callable, its dotted name, or a class with its arguments, which is instantiated for each request."""


class Rule(routing.Rule):
    """A rule of Werkzeug's with a ``view``: a function that takes the request first, or its dotted name.

    It may also be a tuple of a class, or its dotted name, and arguments: it is instantiated for each request, and then
    called.
    """

    def __init__(self, string: str, *args: Any, view: Named | None = None, **kwargs: Any) -> None:
        super().__init__(string, *args, **kwargs)
        self.view = view

    def get_empty_kwargs(self) -> dict[str, Any]:
        """Return the keyword arguments for a copy."""
        return {**super().get_empty_kwargs(), "view": self.view}


class ViewGroup:
    """A group of rules."""

    def __init__(self, *rules: RuleFactory) -> None:
        self.rules = rules

    def mounted(self, path: str = "", prefix: str = "") -> Iterator[RuleFactory]:
        """Return the rules below a path, with a prefix for their endpoints."""
        rules: list[RuleFactory] = [EndpointPrefix(prefix, self.rules)] if prefix else list(self.rules)
        if path.strip("/"):
            yield Submount(f"/{path.strip('/')}", rules)
        else:
            yield from rules


class Views:
    """The views of endpoints, imported on first use."""

    def __init__(self) -> None:
        self._views: dict[Any, Named] = {}

    def add(self, endpoint: Any, view: Named) -> None:
        """Register the view of an endpoint."""
        self._views[endpoint] = view

    def view_of(self, rule: routing.Rule) -> View:
        """Return the view of a rule.

        Raises LookupError if there is none, or ImportError for a view that does not exist.
        """
        view = getattr(rule, "view", None) or self._views.get(rule.endpoint)
        if view is None:
            raise LookupError(f"the endpoint {rule.endpoint!r} has no view")
        if not isinstance(view, tuple):
            return _imported(view)
        kind, args, kwargs = view
        made: View = _imported(kind)(*args, **kwargs)
        return made


def _imported(view: View | str) -> View:
    if not isinstance(view, str):
        return view
    found: View = import_string(view)
    return found

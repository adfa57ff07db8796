"""Which view a path leads to: rules that have their view, in groups."""

from collections.abc import Callable, Iterator
from typing import Any

from antiphon.dialects.werkzeug import routing
from antiphon.dialects.werkzeug.routing.rules import EndpointPrefix, RuleFactory, Submount
from antiphon.dialects.werkzeug.utils.imports import import_string

View = Callable[..., Any]


class Rule(routing.Rule):
    """A rule of Werkzeug's with its ``view``: a function that takes the request first, or its dotted name."""

    def __init__(self, string: str, *args: Any, view: View | str | None = None, **kwargs: Any) -> None:
        super().__init__(string, *args, **kwargs)
        self.view = view

    def get_empty_kwargs(self) -> dict[str, Any]:
        """The keyword arguments of a copy."""
        return {**super().get_empty_kwargs(), "view": self.view}


class ViewGroup:
    """Rules that belong together."""

    def __init__(self, *rules: RuleFactory) -> None:
        self.rules = rules

    def mounted(self, path: str = "", prefix: str = "") -> Iterator[RuleFactory]:
        """The rules below a path, with a prefix before their endpoints."""
        rules: list[RuleFactory] = [EndpointPrefix(prefix, self.rules)] if prefix else list(self.rules)
        if path.strip("/"):
            yield Submount(f"/{path.strip('/')}", rules)
        else:
            yield from rules


class Views:
    """The views of endpoints, imported when they are first wanted."""

    def __init__(self) -> None:
        self._views: dict[Any, View | str] = {}

    def add(self, endpoint: Any, view: View | str) -> None:
        """Have an endpoint answered by a view."""
        self._views[endpoint] = view

    def view_of(self, rule: routing.Rule) -> View:
        """What answers at a rule. Raises LookupError where nothing does, ImportError for a view that isn't there."""
        view = getattr(rule, "view", None) or self._views.get(rule.endpoint)
        if view is None:
            raise LookupError(f"the endpoint {rule.endpoint!r} has no view")
        if not isinstance(view, str):
            return view
        found: View = import_string(view)
        return found

"""URL rules with a view, and groups of such rules."""

from collections.abc import Callable, Iterator
from typing import Any

from antiphon.dialects.werkzeug import routing
from antiphon.dialects.werkzeug.routing.rules import EndpointPrefix, RuleFactory, Submount
from antiphon.dialects.werkzeug.utils import import_string

View = Callable[..., Any]
Named = View | str | tuple[type | str, tuple[Any, ...], dict[str, Any]]
"""A callable, its dotted name, or a tuple of a class and its arguments, which is instantiated for each request."""


class Rule(routing.Rule):
    """A Werkzeug rule with a ``view``: a function whose first argument is the request, or its dotted name.

    The view may also be a tuple of a class (or its dotted name) and arguments. The class is instantiated for each
    request, and the instance is called.
    """

    def __init__(self, string: str, *args: Any, view: Named | None = None, **kwargs: Any) -> None:
        super().__init__(string, *args, **kwargs)
        self.view = view

    def get_empty_kwargs(self) -> dict[str, Any]:
        """Return the keyword arguments that make a copy of the rule."""
        return {**super().get_empty_kwargs(), "view": self.view}


class ViewGroup:
    def __init__(self, *rules: RuleFactory) -> None:
        self.rules = rules

    def mounted(self, path: str = "", prefix: str = "") -> Iterator[RuleFactory]:
        """Return the rules below a path, with their endpoints prefixed."""
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
        self._views[endpoint] = view

    def view_of(self, rule: routing.Rule) -> View:
        """Return a rule's view.

        Raises LookupError if the rule has no view, or ImportError if its view does not exist.
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

"""The exceptions of Werkzeug's routing."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from antiphon.dialects.werkzeug.exceptions.base import BadRequest, HTTPException

if TYPE_CHECKING:
    from antiphon.dialects.werkzeug.routing.map import MapAdapter
    from antiphon.dialects.werkzeug.routing.rules import Rule
    from antiphon.dialects.werkzeug.wrappers.response import Response


class RoutingException(Exception):
    """The base class of routing exceptions."""


class RequestRedirect(HTTPException, RoutingException):
    """A redirect to the absolute URL ``new_url``, for example because a slash is missing."""

    code = 308

    def __init__(self, new_url: str) -> None:
        super().__init__(new_url)
        self.new_url = new_url

    def get_response(self, environ: object = None, scope: object = None) -> "Response":  # noqa: ARG002 - not needed
        from antiphon.dialects.werkzeug.utils import redirect

        return redirect(self.new_url, self.code or 308)


class RequestPath(RoutingException):
    """Raised if a request would match with another path, ``path_info``."""

    __slots__ = ("path_info",)

    def __init__(self, path_info: str) -> None:
        super().__init__()
        self.path_info = path_info


class RequestAliasRedirect(RoutingException):
    """Raised if the matching rule is an alias of another rule with this ``endpoint`` and these ``matched_values``."""

    def __init__(self, matched_values: Mapping[str, Any], endpoint: Any) -> None:
        super().__init__()
        self.matched_values = matched_values
        self.endpoint = endpoint


class NoMatch(Exception):
    """Raised if no rule matches. ``have_match_for`` contains the methods that would match."""

    __slots__ = ("have_match_for", "websocket_mismatch")

    def __init__(self, have_match_for: set[str], websocket_mismatch: bool) -> None:
        self.have_match_for = have_match_for
        self.websocket_mismatch = websocket_mismatch


class WebsocketMismatch(BadRequest):
    """Raised if the only matching rule is for a WebSocket but the request is for HTTP, or vice versa."""


class BuildError(RoutingException, LookupError):
    """Raised if no rule of the endpoint accepts these values and this method. The message suggests a similar rule."""

    def __init__(
        self, endpoint: Any, values: Mapping[str, Any], method: str | None, adapter: "MapAdapter | None" = None
    ) -> None:
        super().__init__(endpoint, values, method)
        self.endpoint = endpoint
        self.values = values
        self.method = method
        self.adapter = adapter

    @cached_property
    def suggested(self) -> "Rule | None":
        """The rule that is most similar to the requested one."""
        return self.closest_rule(self.adapter)

    def closest_rule(self, adapter: "MapAdapter | None") -> "Rule | None":
        """Return the rule in an adapter's map that is most similar to the requested one."""
        if adapter is None:
            return None
        from difflib import SequenceMatcher

        asked = set(self.values or ())

        def likeness(rule: "Rule") -> float:
            alike = SequenceMatcher(None, str(rule.endpoint), str(self.endpoint)).ratio()
            takes_values = asked <= rule.arguments
            has_method = bool(rule.methods and self.method in rule.methods)
            return 0.98 * alike + 0.01 * takes_values + 0.01 * has_method

        return max(adapter.map.iter_rules(), key=likeness, default=None)

    def __str__(self) -> str:
        method = f" ({self.method!r})" if self.method else ""
        values = f" with values {sorted(self.values)!r}" if self.values else ""
        return f"Could not build url for endpoint {self.endpoint!r}{method}{values}.{self._hint()}"

    def _hint(self) -> str:
        rule = self.suggested
        if rule is None:
            return ""
        if rule.endpoint != self.endpoint:
            return f" Did you mean {rule.endpoint!r} instead?"
        hint = ""
        if self.method and rule.methods is not None and self.method not in rule.methods:
            hint = f" Did you mean to use methods {sorted(rule.methods)!r}?"
        missing = (rule.arguments | set(rule.defaults or ())) - set(self.values)
        return f"{hint} Did you forget to specify values {sorted(missing)!r}?" if missing else hint

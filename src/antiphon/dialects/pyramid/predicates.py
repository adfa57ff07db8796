"""Predicates. Their first argument is the match for a route, or the context for a view."""

import re
from typing import Any

from antiphon.dialects.pyramid.exceptions import ConfigurationError
from antiphon.dialects.pyramid.traversal import find_interface, resource_path_tuple, traversal_path
from antiphon.dialects.pyramid.urldispatch import _compile_route
from antiphon.dialects.pyramid.util import as_sorted_tuple, is_nonstr_iter, object_description

_ABSENT: Any = object()


class _Predicate:
    """A predicate with a string value, which also identifies equal predicates."""

    def __init__(self, val: Any, config: Any) -> None:
        self.val = val

    def text(self) -> str:
        raise NotImplementedError

    def phash(self) -> str:
        """Return text that is identical for equal predicates."""
        return self.text()

    def __call__(self, context: Any, request: Any) -> bool:
        """Return True if a request satisfies the predicate."""
        raise NotImplementedError


class XHRPredicate(_Predicate):
    """True if the request was, or was not, sent by a script."""

    def __init__(self, val: Any, config: Any) -> None:
        super().__init__(bool(val), config)

    def text(self) -> str:
        return f"xhr = {self.val}"

    def __call__(self, context: Any, request: Any) -> bool:
        return bool(request.is_xhr) is self.val


class RequestMethodPredicate(_Predicate):
    """True for the given methods. GET includes HEAD."""

    def __init__(self, val: Any, config: Any) -> None:
        methods = as_sorted_tuple(val)
        super().__init__(as_sorted_tuple((*methods, "HEAD")) if "GET" in methods else methods, config)

    def text(self) -> str:
        return f"request_method = {','.join(self.val)}"

    def __call__(self, context: Any, request: Any) -> bool:
        return request.method in self.val


def _pattern(text: str) -> "re.Pattern[str]":
    try:
        return re.compile(text)
    except re.error as error:
        raise ConfigurationError(error.args[0]) from None


class PathInfoPredicate(_Predicate):
    """True if a regular expression matches the start of the path."""

    def __init__(self, val: Any, config: Any) -> None:
        super().__init__(_pattern(val), config)
        self.orig = val

    def text(self) -> str:
        return f"path_info = {self.orig}"

    def __call__(self, context: Any, request: Any) -> bool:
        return self.val.match(request.upath_info) is not None


class RequestParamPredicate(_Predicate):
    """True if the query or form has the given fields: `name` or `name=value`. A name may start with `=`."""

    def __init__(self, val: Any, config: Any) -> None:
        super().__init__(as_sorted_tuple(val), config)
        self.reqs = [self._parsed(text) for text in self.val]

    def _parsed(self, text: str) -> tuple[str, str | None]:
        name, equals, value = text[1:].partition("=")
        return (f"{text[:1]}{name}".strip(), value.strip()) if equals else (text, None)

    def text(self) -> str:
        return f"request_param {','.join(f'{name}={value}' if value else name for name, value in self.reqs)}"

    def __call__(self, context: Any, request: Any) -> bool:
        params = request.params
        for name, wanted in self.reqs:
            value = params.get(name)
            if value is None or (wanted is not None and value != wanted):
                return False
        return True


class HeaderPredicate(_Predicate):
    """True if the request has the given headers: `Name` or `Name:regular expression`."""

    def __init__(self, val: Any, config: Any) -> None:
        headers = [text.partition(":") for text in as_sorted_tuple(val)]
        super().__init__(
            [(name, _pattern(text) if colon else None, text or None) for name, colon, text in headers], config
        )

    def text(self) -> str:
        return f"header {', '.join(f'{name}={text}' if text else name for name, _, text in self.val)}"

    def __call__(self, context: Any, request: Any) -> bool:
        headers = request.headers
        for name, pattern, _ in self.val:
            value = headers.get(name)
            if value is None or (pattern is not None and pattern.match(value) is None):
                return False
        return True


class AcceptPredicate(_Predicate):
    """True if the client accepts any of the given media types."""

    def __init__(self, val: Any, config: Any) -> None:
        super().__init__(val if is_nonstr_iter(val) else (val,), config)
        self.values = self.val

    def text(self) -> str:
        return f"accept = {', '.join(self.values)}"

    def __call__(self, context: Any, request: Any) -> bool:
        return bool(request.accept.acceptable_offers(self.values))


class ContainmentPredicate(_Predicate):
    """True if the context or one of its ancestors has the given class or provides the given interface."""

    def __init__(self, val: Any, config: Any) -> None:
        super().__init__(config.maybe_dotted(val), config)

    def text(self) -> str:
        return f"containment = {self.val}"

    def __call__(self, context: Any, request: Any) -> bool:
        return find_interface(getattr(request, "context", context), self.val) is not None


class RequestTypePredicate(_Predicate):
    """True if the request provides the given interface."""

    def text(self) -> str:
        return f"request_type = {self.val}"

    def __call__(self, context: Any, request: Any) -> bool:
        return bool(self.val.providedBy(request))


class MatchParamPredicate(_Predicate):
    """True if the route's pattern matched the given values, each of the form `name=value`."""

    def __init__(self, val: Any, config: Any) -> None:
        super().__init__(as_sorted_tuple(val), config)
        pairs = [text.partition("=") for text in self.val]
        if not all(equals for _, equals, _ in pairs):
            raise ValueError(f"match_param must be `name=value`, not {self.val!r}")
        self.reqs = [(name.strip(), value.strip()) for name, _, value in pairs]

    def text(self) -> str:
        return f"match_param {','.join(f'{name}={value}' for name, value in self.reqs)}"

    def __call__(self, context: Any, request: Any) -> bool:
        found = request.matchdict
        return bool(found) and all(found.get(name) == value for name, value in self.reqs)


class CustomPredicate(_Predicate):
    """A predicate that is one of the program's functions."""

    def __init__(self, val: Any, config: Any) -> None:
        super().__init__(val, config)
        self.func = val

    def text(self) -> str:
        text: str = getattr(self.func, "__text__", f"custom predicate: {object_description(self.func)}")
        return text

    def phash(self) -> str:
        return f"custom:{hash(self.func)!r}"  # equal objects are one predicate

    def __call__(self, context: Any, request: Any) -> bool:
        return self.func(context, request)  # type: ignore[no-any-return]  # any truth value


class TraversePredicate(_Predicate):
    """A setter of the path at which a route's context is found, rather than a real predicate."""

    def __init__(self, val: Any, config: Any) -> None:
        super().__init__(val, config)
        _, self.tgenerate = _compile_route(val)

    def text(self) -> str:
        return "traverse matchdict pseudo-predicate"

    def phash(self) -> str:
        return ""

    def __call__(self, context: Any, request: Any) -> bool:
        if "traverse" not in context:
            match = context["match"]
            match["traverse"] = traversal_path(self.tgenerate(match))
        return True


class PhysicalPathPredicate(_Predicate):
    """True for the context with the given path, which is text or a tuple of names."""

    def __init__(self, val: Any, config: Any) -> None:
        super().__init__(tuple(val) if is_nonstr_iter(val) else ("", *filter(None, val.split("/"))), config)

    def text(self) -> str:
        return f"physical_path = {self.val}"

    def __call__(self, context: Any, request: Any) -> bool:
        return getattr(context, "__name__", _ABSENT) is not _ABSENT and resource_path_tuple(context) == self.val


class IsAuthenticatedPredicate(_Predicate):
    """True if the user is known, or if the user is unknown."""

    def text(self) -> str:
        return f"is_authenticated = {self.val!r}"

    def __call__(self, context: Any, request: Any) -> bool:
        return bool(request.is_authenticated == self.val)


class EffectivePrincipalsPredicate(_Predicate):
    """True if the request has the given principals."""

    def __init__(self, val: Any, config: Any) -> None:
        super().__init__(set(val) if is_nonstr_iter(val) else {val}, config)

    def text(self) -> str:
        return f"effective_principals = {sorted(self.val)}"

    def __call__(self, context: Any, request: Any) -> bool:
        principals = request.effective_principals
        return is_nonstr_iter(principals) and self.val.issubset(principals)


class Notted:
    """The negation of a predicate."""

    def __init__(self, predicate: Any) -> None:
        self.predicate = predicate

    def _notted_text(self, val: Any) -> Any:
        return f"!{val}" if val else val  # a predicate without text is not a real one

    def text(self) -> Any:
        return self._notted_text(self.predicate.text())

    def phash(self) -> Any:
        return self._notted_text(self.predicate.phash())

    def __call__(self, context: Any, request: Any) -> Any:
        result = self.predicate(context, request)
        return not result if self.phash() else result

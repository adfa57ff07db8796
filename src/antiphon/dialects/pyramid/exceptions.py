"""The errors of configuration, and of requests before a view answers."""

from collections.abc import Iterable, Mapping
from typing import Any

from antiphon.dialects.pyramid.httpexceptions import HTTPBadRequest, HTTPForbidden, HTTPNotFound
from antiphon.dialects.webob.request.errors import MalformedText

NotFound = HTTPNotFound
Forbidden = HTTPForbidden


class BadCSRFOrigin(HTTPBadRequest):
    """A request that comes from a page on another site, by its headers."""

    explanation = (
        "Bad CSRF Origin. Access is denied. This server can not verify that the origin or referrer of your request"
        " matches the current site. Either your browser supplied the wrong Origin or Referrer or it did not supply one"
        " at all."
    )


class BadCSRFToken(HTTPBadRequest):
    """A request without the token that pages of this site have."""

    explanation = (
        "Bad CSRF token received. Access is denied. This server can not verify that your cross-site request forgery"
        " token belongs to your login session. Either you supplied the wrong cross-site request forgery token or your"
        " session no longer exists. This may be due to session timeout or because browser is not supplying the"
        " credentials required, as can happen when the browser has cookies turned off."
    )


class PredicateMismatch(HTTPNotFound):
    """No predicates of a view match the request."""


class URLDecodeError(MalformedText):
    """A path that is not UTF-8. Unless a view answers it, it is a 400."""


class ConfigurationError(Exception):
    """Configuration that is wrong."""


class ConfigurationConflictError(ConfigurationError):
    """Actions with equal discriminators, none of which is nearer to the application than the others."""

    def __init__(self, conflicts: Mapping[Any, Iterable[Any]]) -> None:
        self._conflicts = conflicts

    def __str__(self) -> str:
        lines = ["Conflicting configuration actions"]
        for discriminator, infos in sorted(self._conflicts.items(), key=repr):
            lines.append(f"  For: {discriminator}")
            lines += [f"    {line.rstrip()}" for info in infos for line in str(info).rstrip().splitlines()]
        return "\n".join(lines)


class ConfigurationExecutionError(ConfigurationError):
    """An action that failed, and its place in the program."""

    def __init__(self, etype: Any, evalue: Any, info: Any) -> None:
        self.etype, self.evalue, self.info = etype, evalue, info

    def __str__(self) -> str:
        return f"{self.etype}: {self.evalue}\n  in:\n  {self.info}"


class CyclicDependencyError(Exception):
    """Items that each have to come before the other."""

    def __init__(self, cycles: Mapping[Any, Iterable[Any]]) -> None:
        self.cycles = cycles

    def __str__(self) -> str:
        cycles = [f"{name!r} sorts before {[*dependents]!r}" for name, dependents in self.cycles.items()]
        return f"Implicit ordering cycle:{'; '.join(cycles)}"

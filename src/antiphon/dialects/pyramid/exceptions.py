"""Errors in the configuration, and errors in requests before a view is called."""

from collections.abc import Iterable, Mapping
from typing import Any

from antiphon.dialects.pyramid.httpexceptions import HTTPBadRequest, HTTPForbidden, HTTPNotFound
from antiphon.dialects.webob.exc import MalformedText

NotFound = HTTPNotFound
Forbidden = HTTPForbidden


class BadCSRFOrigin(HTTPBadRequest):
    """Raised if the headers show that a request comes from another site's page."""

    explanation = (
        "Bad CSRF Origin. Access is denied. This server can not verify that the origin or referrer of your request"
        " matches the current site. Either your browser supplied the wrong Origin or Referrer or it did not supply one"
        " at all."
    )


class BadCSRFToken(HTTPBadRequest):
    """Raised for a request that lacks the token of this site's pages."""

    explanation = (
        "Bad CSRF token received. Access is denied. This server can not verify that your cross-site request forgery"
        " token belongs to your login session. Either you supplied the wrong cross-site request forgery token or your"
        " session no longer exists. This may be due to session timeout or because browser is not supplying the"
        " credentials required, as can happen when the browser has cookies turned off."
    )


class PredicateMismatch(HTTPNotFound):
    """Raised when no view's predicates match the request."""


class URLDecodeError(MalformedText):
    """Raised for a path that is not UTF-8. It results in a 400 unless a view handles it."""


class ConfigurationError(Exception):
    """An error in the configuration."""


class ConfigurationConflictError(ConfigurationError):
    """Raised for actions with equal discriminators, none of which overrides the others."""

    def __init__(self, conflicts: Mapping[Any, Iterable[Any]]) -> None:
        self._conflicts = conflicts

    def __str__(self) -> str:
        lines = ["Conflicting configuration actions"]
        for discriminator, infos in sorted(self._conflicts.items(), key=repr):
            lines.append(f"  For: {discriminator}")
            lines += [f"    {line.rstrip()}" for info in infos for line in str(info).rstrip().splitlines()]
        return "\n".join(lines)


class ConfigurationExecutionError(ConfigurationError):
    """Raised when an action fails, with the action's location in the program."""

    def __init__(self, etype: Any, evalue: Any, info: Any) -> None:
        self.etype, self.evalue, self.info = etype, evalue, info

    def __str__(self) -> str:
        return f"{self.etype}: {self.evalue}\n  in:\n  {self.info}"


class CyclicDependencyError(Exception):
    """Raised when items must each come before the other."""

    def __init__(self, cycles: Mapping[Any, Iterable[Any]]) -> None:
        self.cycles = cycles

    def __str__(self) -> str:
        cycles = [f"{name!r} sorts before {[*dependents]!r}" for name, dependents in self.cycles.items()]
        return f"Implicit ordering cycle:{'; '.join(cycles)}"

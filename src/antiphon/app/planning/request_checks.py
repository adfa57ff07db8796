"""Checks of every request before it is handled: its header section, its host, and the site that it comes from."""

from collections.abc import Iterable

from antiphon.adapters.heads import HeadChecks
from antiphon.app.planning.cross_site import (
    OWN_PAGES,
    TrustedOrigins,
    check_cross_site,
    declarable_origin,
)
from antiphon.app.planning.trusted_hosts import TrustedHosts
from antiphon.explanations import Advice
from antiphon.http.errors import HTTPError, MisdirectedRequest, without_traceback
from antiphon.request.proxies import TrustedProxies, behind
from antiphon.request.request import Request


class RequestChecks(HeadChecks):
    """The settings that decide which requests are handled.

    ``looks_at_heads`` is True if more than each head's Host is checked: with ``has_rules``, which proxies and hosts are
    trusted, otherwise only its size. Most servers limit the header section themselves.
    """

    def __init__(
        self,
        most_header: int,
        proxies: TrustedProxies | Iterable[str],
        hosts: Iterable[str],
        origins: Iterable[str],
        cross_site_writes: bool,
    ) -> None:
        super().__init__(most_header)
        self.proxies = proxies if isinstance(proxies, TrustedProxies) else TrustedProxies(proxies)
        self.hosts = TrustedHosts(hosts)
        self.origins = TrustedOrigins(origins)
        self.looks_at_heads = self.has_rules = bool(self.proxies or self.hosts)
        self.allows_all_writes = cross_site_writes
        self._advice = Advice()
        self._origins_of: dict[str | None, TrustedOrigins] = {}

    def trust(self, blueprint: str, above: str | None, origins: TrustedOrigins) -> None:
        """Trust origins for the routes of a blueprint, along with those of ``above``, the blueprint around it."""
        self._origins_of[blueprint] = origins.within(self._origins_of.get(above, self.origins))

    def trusted_by(self, blueprint: str | None) -> TrustedOrigins:
        """Return the origins of other sites that may write to the routes of a blueprint, or of the application."""
        return self._origins_of.get(blueprint, self.origins)

    def look_at_head(self, request: Request, *, for_any_host: bool = False) -> HTTPError | None:
        """Undo what trusted proxies changed in a request, and return the error if its head is too large or its host
        is not trusted.
        """
        if error := self.size_error(request.head):
            return error
        if self.proxies:
            request.head = behind(request.head, self.proxies)
        if self.hosts and not for_any_host:
            try:
                self.hosts.check(request.head)
            except HTTPError as error:
                if isinstance(error, MisdirectedRequest):
                    host = request.head.authority.lower()
                    self._advice.give(f"A request for {host}", f'App(trusted_hosts=["{host}"])')
                return without_traceback(error)
            request._host_is_declared = True
        return None

    def refused_write(self, request: Request) -> HTTPError | None:
        """Return the error for a write by a page on another site; None for all other requests."""
        if self.allows_all_writes or request.head.field("sec-fetch-site") in OWN_PAGES:  # as for most: a call less
            return None
        try:
            check_cross_site(request, self.trusted_by(request.blueprint) if self._origins_of else self.origins)
        except HTTPError as error:
            self._advise(request, "A write")
            return without_traceback(error)
        return None

    def refused_handshake(self, request: Request) -> HTTPError | None:
        """Return the error for a WebSocket opened by a page on another site; None for all others."""
        if self.allows_all_writes:
            return None
        try:
            check_cross_site(
                request, self.trusted_by(request.blueprint) if self._origins_of else self.origins, is_handshake=True
            )
        except HTTPError as error:
            self._advise(request, "A WebSocket")
            return without_traceback(error)
        return None

    def _advise(self, request: Request, refused: str) -> None:
        """Log, once, how to allow the refused request for pages of an origin."""
        if origin := declarable_origin(request.head.field("origin")):
            self._advice.give(f"{refused} by a page at {origin}", f'App(trusted_origins=["{origin}"])')

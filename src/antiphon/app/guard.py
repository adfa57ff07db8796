"""What is asked of every request before it is answered: from whom it comes, and for which host."""

from collections.abc import Iterable

from antiphon.adapters.server_values import header_too_large
from antiphon.app.cross_site import TrustedOrigins, check_cross_site
from antiphon.app.trusted_hosts import TrustedHosts
from antiphon.http.errors import HTTPError
from antiphon.request.proxies import TrustedProxies, behind
from antiphon.request.request import Request


class Guard:
    """The settings by which requests are let through.

    ``looks_at_heads`` says that there is anything to be asked of a head. How large it is, most servers have asked.
    """

    def __init__(
        self,
        most_header: int,
        proxies: TrustedProxies | Iterable[str],
        hosts: Iterable[str],
        origins: Iterable[str],
        cross_site_writes: bool,
    ) -> None:
        self.proxies = proxies if isinstance(proxies, TrustedProxies) else TrustedProxies(proxies)
        self.hosts = TrustedHosts(hosts)
        self.origins = TrustedOrigins(origins)
        self.most_header = most_header
        self.looks_at_heads = bool(self.proxies or self.hosts)
        self._lets_all_write = cross_site_writes
        self._origins_of: dict[str | None, TrustedOrigins] = {}

    def trust(self, blueprint: str, above: str | None, origins: TrustedOrigins) -> None:
        """Trust origins for what a blueprint answers; ``above`` is the one around it, whose origins count, too."""
        self._origins_of[blueprint] = origins.within(self._origins_of.get(above, self.origins))

    def look_at_head(self, request: Request) -> HTTPError | None:
        """See the request as the client sent it; the error for too large a head, or for a host that is another's."""
        size = request.head.header_size
        if size > self.most_header:
            return header_too_large(size, self.most_header)
        if self.proxies:
            request.head = behind(request.head, self.proxies)
        if self.hosts:
            try:
                self.hosts.check(request.head)
            except HTTPError as error:
                return error
        return None

    def refused_write(self, request: Request) -> HTTPError | None:
        """The error for a write that a page of another site makes."""
        if not self._lets_all_write:
            try:
                check_cross_site(request, self._origins_of.get(request.blueprint, self.origins))
            except HTTPError as error:
                return error
        return None

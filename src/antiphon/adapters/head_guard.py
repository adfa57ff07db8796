"""Checks of a request's head that every application needs: it has one host, and is not too large."""

from antiphon.adapters.server_values import header_too_large
from antiphon.http.errors import HTTPError, without_traceback
from antiphon.http.head import Head, check_host

_MOST_KNOWN = 1024
"""The number of hosts that are remembered."""
_LONGEST_KNOWN = 255
"""Characters of the longest host that is remembered."""


class HeadGuard:
    """The checks of heads: ``looks_at_heads`` says that more than the Host of each one is checked.

    Most servers limit the header section themselves.
    """

    def __init__(self, most_header: int) -> None:
        self.most_header = most_header
        self.known_hosts: dict[str | bytes | None, str | bytes] = {}
        """Values of Host that were found to be one host, each as its own key. Without the GIL, a thread that looks
        something up in a set locks it, and one that looks something up in a dict with another thread's key locks that,
        unless they have read it as a value.
        """
        self.looks_at_heads = False

    def head_error(self, head: Head) -> HTTPError | None:
        """Return the error for a head whose host is malformed, or which is too large; None for all others."""
        line = head.host_line
        if line not in self.known_hosts and (error := self.host_error(head)):
            return error
        return self.size_error(head) if self.looks_at_heads else None

    def host_error(self, head: Head) -> HTTPError | None:
        """Return the error for a head whose Host, as it was received, is not one host; else remember that it is."""
        line = head.host_line
        try:
            check_host(line, head.http_version)
        except HTTPError as error:
            return without_traceback(error)
        if line and len(line) <= _LONGEST_KNOWN:
            if len(self.known_hosts) >= _MOST_KNOWN:
                self.known_hosts.clear()
            self.known_hosts[line] = line
        return None

    def size_error(self, head: Head) -> HTTPError | None:
        """Return the error for a head that is too large."""
        size = head.header_size
        return header_too_large(size, self.most_header) if size > self.most_header else None

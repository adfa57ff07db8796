"""A head that is another one in all but some respects: asked through proxies, below a mount, or rewritten."""

from antiphon.http.head import Address, Head


class DerivedHead:
    """A head that tells what ``inner`` does. ``method`` and ``path`` may be set."""

    def __init__(self, inner: Head) -> None:
        self.inner = inner
        self.method = inner.method
        self.path = inner.path
        self.field = inner.field
        self.fields = inner.fields
        self.receive = inner.receive

    @property
    def raw_path(self) -> bytes | None:
        """The whole path as the server got it."""
        return self.inner.raw_path

    @property
    def query_string(self) -> bytes:
        """What follows the question mark."""
        return self.inner.query_string

    @property
    def root_path(self) -> str:
        """The decoded path at which the application is mounted."""
        return self.inner.root_path

    @property
    def scheme(self) -> str:
        """``"http"`` or ``"https"``."""
        return self.inner.scheme

    @property
    def authority(self) -> str:
        """Host and port as the client named them."""
        return self.inner.authority

    @property
    def http_version(self) -> str:
        """The version of HTTP."""
        return self.inner.http_version

    @property
    def client(self) -> Address | None:
        """The other end of the connection."""
        return self.inner.client

    @property
    def header_size(self) -> int:
        """Bytes of the header section, where the server does not bound it."""
        return self.inner.header_size

    @property
    def blocks(self) -> bool:
        """Whether ``receive`` blocks the thread."""
        return self.inner.blocks

    @property
    def has_body(self) -> bool:
        """False when the request surely bears no body."""
        return self.inner.has_body

    @property
    def uncoded_length(self) -> int | None:
        """The declared length of a body that is not coded."""
        return self.inner.uncoded_length


def server_head(head: Head) -> Head:
    """The head that the server gave, from which this one is derived."""
    while isinstance(head, DerivedHead):
        head = head.inner
    return head

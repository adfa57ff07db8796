"""A head that is a copy: what another one tells, as plain values that outlive the server and can be pickled."""

from antiphon.http.head import Head, RequestHead


class PlainHead(RequestHead):
    """What ``head`` tells, without its body. The header fields stay as the server gave them."""

    __slots__ = ()

    def __init__(self, head: Head) -> None:
        super().__init__(
            head.method,
            head.path,
            head.query_string,
            scheme=head.scheme,
            authority=head.authority,
            root_path=head.root_path,
            raw_path=head.raw_path,
            http_version=head.http_version,
            client=head.client,
        )
        self._fields = [*head.fields()]

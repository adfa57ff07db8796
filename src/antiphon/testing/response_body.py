"""The body of a response as a client reads it: no longer and no shorter than its head says."""

from antiphon.http.status import has_body
from antiphon.testing.errors import BodyTooLarge, ContractError
from antiphon.testing.servers.exchange import Exchange, Head


class ResponseBody:
    """The chunks of a body, none of them empty. What comes in answer to HEAD is dropped, as servers do."""

    def __init__(self, exchange: Exchange, method: str, head: Head) -> None:
        self._exchange = exchange
        self._dropped = method == "HEAD"
        self._status = head.status
        length = head.headers.get("content-length")
        self._length = int(length) if length is not None else None
        self._received = 0

    async def chunk(self) -> bytes | None:
        """The next chunk, None at the end. Raises ContractError if the length is wrong."""
        while (chunk := await self._exchange.chunk()) is not None:
            if chunk and not self._dropped:
                self._count(len(chunk))
                return chunk
        await self._check_end()
        return None

    async def read(self, limit: int) -> bytes:
        """All of the rest. Raises BodyTooLarge when that is more than ``limit`` bytes."""
        chunks = []
        size = 0
        while (chunk := await self.chunk()) is not None:
            size += len(chunk)
            if size > limit:
                raise BodyTooLarge(f"the body has more than {limit} bytes: read it with stream, or raise max_body")
            chunks.append(chunk)
        return b"".join(chunks)

    def _count(self, size: int) -> None:
        self._received += size
        if not has_body(self._status):
            raise ContractError(f"a {self._status} response has no body, but {size} bytes were sent")
        if self._length is not None and self._received > self._length:
            raise ContractError(f"{self._received} bytes were sent, but the Content-Length is {self._length}")

    async def _check_end(self) -> None:
        if self._dropped or not has_body(self._status) or self._length in (None, self._received):
            return
        await self._exchange.close()  # this raises what may have cut the body short
        raise ContractError(f"the body ended after {self._received} bytes, but the Content-Length is {self._length}")

"""Pieces on their way from one task to another, one at a time."""

import asyncio


class HandOver:
    """Who gives a piece waits until it was taken, or until the end. Several may give, one takes."""

    def __init__(self) -> None:
        self._piece: bytes | None = None
        self._changed_hands = asyncio.Event()
        self._arrived = asyncio.Event()
        self._has_ended = False

    async def give(self, piece: bytes) -> None:
        """Have a piece taken; at the end it may not be."""
        while self._piece is not None and not self._has_ended:
            await self._changed_hands.wait()
        if not self._has_ended:
            self._piece = piece
            self._changed_hands.clear()
            self._arrived.set()
            await self._changed_hands.wait()

    async def take(self) -> bytes | None:
        """The next piece; None at the end."""
        while self._piece is None and not self._has_ended:
            self._arrived.clear()
            await self._arrived.wait()
        piece, self._piece = self._piece, None
        self._changed_hands.set()
        return piece

    def end(self) -> None:
        """Nothing more is given; a piece that is on its way can still be taken."""
        self._has_ended = True
        self._changed_hands.set()
        self._arrived.set()

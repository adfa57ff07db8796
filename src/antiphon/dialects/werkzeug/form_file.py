"""A file of a form, whose room on the disk is free when it is closed and all others of its form are."""

from antiphon.uploads.spool import Spool
from antiphon.uploads.upload import PartHead, Upload
from antiphon.uploads.window import Window


class FormFile(Upload):
    """An upload that holds the form's spool by itself. The spool is complete."""

    def __init__(self, spool: Spool, offset: int, size: int, head: PartHead, *, name: str, filename: str) -> None:
        self._own_hold = spool.share()
        self._begins = offset
        super().__init__(self._own_hold, offset, size, head, name=name, filename=filename)

    def open(self) -> Window:
        """The file's bytes as a file object; closing that lets go of them."""
        return _LastWindow(self._own_hold, self._begins, self.size)


class _LastWindow(Window):
    def __init__(self, spool: Spool, offset: int, length: int) -> None:
        super().__init__(spool, offset, length)
        self._held = spool

    def close(self) -> None:
        super().close()
        self._held.close()

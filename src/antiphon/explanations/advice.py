"""Advice in the log: the setting that would accept what was refused. Clients never see settings."""

_MOST = 100
"""The maximum number of pieces of advice that one object logs, since clients choose what they ask for."""


class Advice:
    """A log of settings that names each of them once."""

    __slots__ = ("_given",)

    def __init__(self) -> None:
        self._given: set[str] = set()

    def give(self, refused: str, setting: str) -> None:
        """Log that something was refused, and the setting that accepts it."""
        if setting in self._given or len(self._given) >= _MOST:
            return
        import logging

        self._given.add(setting)
        logging.getLogger("antiphon").warning("%s was refused; if it should not be: %s", refused, setting)

"""Advice in the log: the setting that lets pass what was refused. Clients are told of no settings."""

_MOST = 100
"""Pieces of advice that one object logs: clients choose what they ask for."""


class Advice:
    """A log of settings, each of them named once."""

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

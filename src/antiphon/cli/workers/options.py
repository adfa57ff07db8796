"""The options of a server: the number of its workers, their time limits, what they show and what they refuse."""

from typing import NamedTuple

from antiphon.cli.guards import NO_GUARDS, Guards
from antiphon.cli.logs import Logs

RELOAD_GRACE = 2.0
"""The maximum number of seconds that open requests get when a file has changed."""


class ServerOptions(NamedTuple):
    """The number of workers, their time limits, what they show and what they refuse. Times are in seconds."""

    workers: int = 1
    grace: float = 30.0
    """The time that open requests get when their worker ends."""
    worker_timeout: float = 30.0
    """The time after which a silent worker is replaced; 0 for never."""
    start_timeout: float = 60.0
    """The time after which a worker that does not serve yet is ended and replaced; 0 for never."""
    patience: float = 0.0
    """The time for which clients wait for a response; 0 if unknown."""
    max_requests: int = 0
    """The number of requests after which a worker is replaced; 0 for never."""
    drain_delay: float = 0.0
    """The time for which requests are still accepted after the server was told to end and reports that it drains."""
    debug: bool = False
    """True if errors get a page that shows the code and its values."""
    logs: Logs = Logs()
    """The settings of the workers' logs."""
    guards: Guards = NO_GUARDS
    """The guards around a program of another library."""
    dialects: tuple[str, ...] = ()
    """The dialects that are installed before the program is loaded."""
    preloads: bool = False
    """True if the program is loaded once, and workers are forks of the process that loaded it."""
    is_reloaded: bool = False
    """True if workers are reloaded when files have changed."""

    def for_reloading(self) -> "ServerOptions":
        """Return the options for workers that are ended when a file changes and may be paused in a debugger."""
        grace = min(self.grace, RELOAD_GRACE)
        return self._replace(
            grace=grace, worker_timeout=0, start_timeout=0, max_requests=0, drain_delay=0, is_reloaded=True
        )

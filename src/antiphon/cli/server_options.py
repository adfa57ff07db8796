"""How a server is kept: how many workers there are, how long they have for what, what they show and refuse."""

from typing import NamedTuple

from antiphon.cli.guards import NO_GUARDS, Guards
from antiphon.cli.logs import Logs

RELOAD_GRACE = 2.0
"""The most seconds that open requests get when a file has changed."""


class ServerOptions(NamedTuple):
    """How many workers there are, how long they have for what, what they show and refuse. Times are in seconds."""

    workers: int = 1
    grace: float = 30.0
    """The time that open requests get when their worker ends."""
    worker_timeout: float = 30.0
    """The time after which a worker of which nothing was heard is replaced; 0 for none."""
    start_timeout: float = 60.0
    """The time after which a worker that does not serve yet is ended, and another one is tried; 0 for none."""
    max_requests: int = 0
    """The number of requests after which a worker is replaced; 0 for none."""
    drain_delay: float = 0.0
    """The time for which requests are still taken when the server has been told to end, and says that it drains."""
    debug: bool = False
    """True if errors are answered with a page that shows the code and its values."""
    logs: Logs = Logs()
    """What the workers log, and how."""
    guards: Guards = NO_GUARDS
    """What stands around a program of another library."""
    dialects: tuple[str, ...] = ()
    """The dialects that are installed before the program is loaded."""
    preloads: bool = False
    """True if the program is loaded once, and workers are forks of the process that has loaded it."""
    is_reloaded: bool = False
    """True if workers are told what to load, when files have changed."""

    def for_reloading(self) -> "ServerOptions":
        """Return the options of workers that a change of a file ends, and that may stand still in a debugger."""
        grace = min(self.grace, RELOAD_GRACE)
        return self._replace(
            grace=grace, worker_timeout=0, start_timeout=0, max_requests=0, drain_delay=0, is_reloaded=True
        )

"""A worker that is started ahead of the time: it imports what any application needs, and waits for an order."""

import importlib
import socket
from ipaddress import ip_address

from antiphon.app.application import App
from antiphon.cli.control import Control
from antiphon.cli.target import Target
from antiphon.cli.unloaded import Report


def wait_for_target(control: Control, listener: socket.socket) -> Target | Report | None:
    """Wait for the order to load a target, or to show a report; return None where no order comes any more."""
    App().freeze()  # which imports the rest
    control.report_waiting()
    order = control.wait_for_order()
    importlib.invalidate_caches()  # there may be new modules by now
    match order:
        case {"load": target}:
            return Target.parse(target)
        case {"show": report, "page": page}:
            return Report(report, page, _is_for_loopback(listener))
    return None


def _is_for_loopback(listener: socket.socket) -> bool:
    """True if only this machine can connect; False for unix sockets, before which a proxy may stand."""
    return listener.family != socket.AF_UNIX and ip_address(listener.getsockname()[0]).is_loopback

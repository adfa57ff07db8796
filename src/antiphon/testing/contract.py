"""The contract of an application, to which a client holds its answers, and what its handlers read."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any
from weakref import WeakKeyDictionary

from antiphon.app.application import App
from antiphon.app.planning.matching import Routing
from antiphon.app.route import Route
from antiphon.explanations import explained
from antiphon.features.openapi.conformance import breach_of
from antiphon.features.openapi.contract import Contract
from antiphon.features.openapi.document import Info, OpenAPIDocument, make_document
from antiphon.features.openapi.findings import ReadAs
from antiphon.handler.contract import describe
from antiphon.lazy import lazy
from antiphon.request.request import Request
from antiphon.testing.errors import ContractError
from antiphon.testing.requests import ClientRequest
from antiphon.testing.responses import ClientResponse

_READERS: dict[str, ReadAs] = {"json_as": "json", "form_as": "form", "args_as": "query"}
_watched: "WeakKeyDictionary[App, HeldContract]" = WeakKeyDictionary()


class HeldContract:
    """The contracts of all routes of an application, and the first breach of them that was found and not told yet."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._breach: ContractError | None = None
        self._routings: dict[App, Routing] = {}
        _watch_readers()

    @lazy
    def _document(self) -> OpenAPIDocument:
        """The contracts, read at the first request, when all routes are there."""
        return make_document(self._app, Info("Contract"))

    def check(self, request: ClientRequest, response: ClientResponse, root_path: str) -> None:
        """Check an answer. Raises ContractError, which names the handler, if it breaks the contract of its route."""
        breach, self._breach = self._breach, None
        if breach is not None:
            raise breach
        sent = Request.blank(request.target.removeprefix(root_path) or "/", request.method, request.headers.items())
        contract = self._find(self._app, sent)
        if contract is None:
            return
        found = breach_of(contract, response.status, response.headers, response.body, request.method)
        if found is not None:
            raise ContractError(f"{describe(contract.route.handler)} {found}")

    def check_read(self, request: Request, part: ReadAs, wanted: Any) -> None:
        """Check a type as which a handler reads a part of its request. Raises ContractError for one that is unknown."""
        route = request.route
        contract = self._document.find(route, request.method) if isinstance(route, Route) else None
        if contract is None or any(each.part == part and each.wanted == wanted for each in contract.reads):
            return
        name = getattr(wanted, "__name__", str(wanted))
        self._breach = ContractError(
            f"{describe(contract.route.handler)} reads {_PARTS[part]} as {name}, which its contract lacks:"
            " write the type where it is read, or declare it with takes="
        )
        raise self._breach

    def _find(self, app: App, request: Request) -> Contract | None:
        """Return the contract of the route that answers a request; None for an error, and for routes of features."""
        if app not in self._routings:
            self._routings[app] = app._freeze().without_looking()
        plan, error = self._routings[app].find(request)
        if error is not None:
            return None
        contract = self._document.find(plan.route, request.method)
        if contract is not None or plan.route.name:
            return contract
        places = (plan.route.pattern, plan.route.host)
        mount = next((each for each in app.mounts if (each.prefix, each.host) == places), None)
        if mount is None or not isinstance(mount.application, App):
            return None
        return self._find(mount.application, mount.below(request))


_PARTS: dict[ReadAs, str] = {"json": "its body", "form": "its form", "query": "its query", "raw": "its body"}


def held_contract(app: object) -> HeldContract:
    """Return the contract of an application, which is read once. Raises TypeError for one that is no App."""
    if not isinstance(app, App):
        raise explained("no-contract", TypeError(f"contract=True needs an App, whose handlers are read: not {app!r}"))
    held = _watched.get(app)
    if held is None:
        held = HeldContract(app)
        _watch(app, held)
    return held


def _watch(app: App, held: HeldContract) -> None:
    _watched[app] = held
    for mount in app.mounts:
        if isinstance(mount.application, App):
            _watch(mount.application, held)


def _watch_readers() -> None:
    """Have the readers of requests tell the contract of their application. Done once, and for tests alone."""
    for name, part in _READERS.items():
        reader = getattr(Request, name)
        if not hasattr(reader, "__wrapped__"):
            setattr(Request, name, _watched_reader(reader, part))


def _watched_reader(reader: Callable[..., Any], part: ReadAs) -> Callable[..., Any]:
    def read(request: Request, wanted: Any) -> Any:
        held = _watched.get(request.route.app) if request.route.app is not None else None
        if held is not None:
            held.check_read(request, part, wanted)
        return reader(request, wanted)

    return update_wrapper(read, reader)

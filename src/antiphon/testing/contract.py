"""An application's contract, against which a client checks the responses and what the handlers read."""

from threading import Lock
from typing import Any

from antiphon.adapters.servable import Servable
from antiphon.app.application import App
from antiphon.app.registry import PlannedRoute
from antiphon.app.route import Route
from antiphon.explanations import explained
from antiphon.explanations.naming import unknown_attribute
from antiphon.features.openapi.code.findings import ReadAs
from antiphon.features.openapi.code.sources import Sources
from antiphon.features.openapi.conformance import breach_of
from antiphon.features.openapi.contract import Contract, ContractReader
from antiphon.features.openapi.document import RouteKey, is_described, refuses_other_sites, route_key
from antiphon.features.openapi.operations import expect
from antiphon.handler.callables import describe
from antiphon.request.request import Request
from antiphon.response.response import Response
from antiphon.serialization.declared import NotDeclaredError
from antiphon.testing.call import CHECKS
from antiphon.testing.errors import ContractError
from antiphon.testing.requests import ClientRequest
from antiphon.testing.responses import ClientResponse
from antiphon.testing.servers.transports import Wrapped

_sources = Sources()
"""The parsed files of handlers, shared by all applications in this process."""


class HeldContract:
    """The contracts of an application's routes.

    A route's contract is read when the route is called, so that a test doesn't wait for other routes.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        _sources.forget_changed()
        self._reader = ContractReader(sources=_sources)
        self._contracts: dict[RouteKey, Contract | None] = {}
        self._lock = Lock()

    @property
    def application(self) -> Servable:
        """The application, with requests that record what is read from them and the routes that they reach."""
        return _WithHeldRequests(self._app, self)

    def of(self, route: Route, method: str) -> Contract | None:
        """Return the contract for a method of a route, maybe of a mounted application; None for a feature's route."""
        key = route_key(route, method)
        with self._lock:
            if key not in self._contracts:
                self._contracts[key] = self._read(route.app, key)
            return self._contracts[key]

    def _read(self, app: App, key: RouteKey) -> Contract | None:
        method = key[-1]
        for planned in PlannedRoute.of(app):
            route = planned.route
            if method in route.methods and route_key(route, method) == key and is_described(route):
                contract = self._reader.read(planned, method)
                has_parameters, refuses = bool(planned.parameters), refuses_other_sites(app, route)
                has_hosts = app.declares_hosts
                expect(contract, has_parameters=has_parameters, has_hosts=has_hosts, refuses_other_sites=refuses)
                return contract
        return None


class _Held:
    """One request, held to the contract of the route that it reached last, and the first violation by its handler."""

    def __init__(self, contracts: HeldContract) -> None:
        self._contracts = contracts
        self._breach: ContractError | None = None
        self._contract: Contract | None = None

    def check(self, request: ClientRequest, response: ClientResponse) -> None:
        """Check a response. Raises ContractError, with the handler's name, if it violates its route's contract."""
        if self._breach is not None:
            raise self._breach
        contract = self._contract
        if contract is None:
            return  # a feature's route, or an error of what is around the route
        found = breach_of(contract, response.status, response.headers, response.body, request.method)
        if found is not None:
            raise ContractError(f"{describe(contract.route.handler)} {found}")

    def reach(self, route: Route, method: str) -> None:
        """Record that the request has reached a route, maybe of a mounted application."""
        self._contract = self._contracts.of(route, method)

    def check_returned(self, response: Response) -> Response:
        """Record that a handler returned a value without what it declares, which became a 500; return the response."""
        if response.error is not None and isinstance(response.error.__cause__, NotDeclaredError):
            self._breach = ContractError(str(response.error))
        return response

    def check_read(self, part: ReadAs, wanted: Any) -> None:
        """Check the type with which a handler reads part of its request. Raises ContractError if it is undeclared."""
        contract = self._contract
        if contract is None or any(each.part == part and each.wanted == wanted for each in contract.reads):
            return
        name = getattr(wanted, "__name__", str(wanted))
        self._breach = ContractError(
            f"{describe(contract.route.handler)} reads {_PARTS[part]} as {name}, which its contract lacks:"
            " write the type where it is read, or declare it with takes="
        )
        raise self._breach


_PARTS: dict[ReadAs, str] = {
    "json": "its body",
    "form": "its form",
    "query": "its query",
    "headers": "its headers",
    "raw": "its body",
    "rows": "its rows",
    "patch": "its patch",
}

_HELD = "_held_to_contract"
"""The attribute in which an application stores its contracts, so that both live equally long, and a request itself."""


def held_contract(app: object) -> HeldContract:
    """Return an application's contract, shared by all its clients. Raises TypeError for anything but an App."""
    if not isinstance(app, App):
        raise explained("no-contract", f"contract=True needs an App, to read its handlers, not {app!r}", TypeError)
    held = vars(app)
    if _HELD not in held:
        held[_HELD] = HeldContract(app)
    contract: HeldContract = held[_HELD]
    return contract


class _WithHeldRequests(Wrapped):
    """An application that uses a different class for its requests and those of applications mounted in it."""

    def __init__(self, application: Servable, contracts: HeldContract) -> None:
        super().__init__(application)
        self._contracts = contracts

    async def _handle(self, request: Request) -> Response:
        """Handle a request step by step."""
        return self._hold(request).check_returned(await super()._handle(request))

    async def _respond(self, request: Request) -> Response:
        """Handle a request, awaited on an event loop."""
        return self._hold(request).check_returned(await super()._respond(request))

    def _hold(self, request: Request) -> _Held:
        request.__class__ = _HeldRequest
        held = vars(request)[_HELD] = _Held(self._contracts)
        CHECKS.get().append(held.check)
        return held


class _HeldRequest(Request):
    """A request that reports what is read from it, and the routes that it reaches."""

    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> None:
        if not hasattr(Request, name):
            raise unknown_attribute(Request, name)
        object.__setattr__(self, name, value)
        if isinstance(value, Route):
            self._held.reach(value, self.method)

    @property
    def _held(self) -> _Held:
        held: _Held = vars(self._outermost)[_HELD]
        return held

    def json_as(self, wanted: Any, **options: Any) -> Any:
        self._held.check_read("json", wanted)
        return super().json_as(wanted, **options)

    def form_as(self, wanted: Any, **options: Any) -> Any:
        self._held.check_read("form", wanted)
        return super().form_as(wanted, **options)

    def args_as(self, wanted: Any, **options: Any) -> Any:
        self._held.check_read("query", wanted)
        return super().args_as(wanted, **options)

    def headers_as(self, wanted: Any) -> Any:
        self._held.check_read("headers", wanted)
        return super().headers_as(wanted)

    def values_as(self, wanted: Any, *, file: Any = None, **options: Any) -> Any:
        if file is None:
            self._held.check_read("rows", wanted)
        return super().values_as(wanted, file=file, **options)

    def patched(self, current: Any, wanted: Any = None, **options: Any) -> Any:
        kind = type(current) if wanted is None else wanted
        self._held.check_read("patch", kind)
        return super().patched(current, kind, **options)

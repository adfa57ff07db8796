"""A route's contract: its input, its responses, the errors that it may raise, and anything unknown."""

import builtins
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from antiphon import HTTPError, Redirect
from antiphon.embedding import SAFE_METHODS, Added, PlannedRoute, RouteKeys, http_error, innermost
from antiphon.features import Gives, StoreUnavailable
from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.calls import names_in
from antiphon.features.openapi.code.findings import NOWHERE, Findings, FindsUsers, Named, Raised, Read, Unread, read_as
from antiphon.features.openapi.code.flow import HAS_USER
from antiphon.features.openapi.code.reading import CodeReader, function_of, is_of_library, is_ours
from antiphon.features.openapi.code.responses import JSON, PROBLEM
from antiphon.features.openapi.code.sources import Place, Sources
from antiphon.features.openapi.code.values import (
    NONE,
    RECEIVED,
    UNKNOWN,
    Fields,
    Known,
    Of,
    Raisable,
    ResponseValue,
    Value,
    alternatives,
    either,
)
from antiphon.features.openapi.code.words import Words
from antiphon.features.openapi.responses import (
    Adding,
    Given,
    NotKnown,
    added_to,
    given_by,
    has_unknown_json,
    responses_of,
    value_of,
)
from antiphon.http import NotModified
from antiphon.types import Route

_UNEXPECTED = [each for each in vars(builtins).values() if isinstance(each, type) and issubclass(each, Exception)]
"""Errors that any code may raise."""


class Failure(NamedTuple):
    """An error that is handled: the message for the client, and the responses of its error handler, if it has one."""

    detail: str | None
    responses: tuple[Given, ...] = ()
    is_problem: bool = True
    """True if the response may contain problem details (RFC 9457)."""
    problem: Value = NONE
    """The content of the problem details beyond the members of all problems: their type and further members."""
    headers: tuple[str, ...] = ()
    place: Place = NOWHERE
    """The place in the code that raises the error; nowhere for one of this package."""


@dataclass
class Contract:
    """The input and responses of one of a route's methods."""

    route: Route
    method: str
    reads: list[Read] = field(default_factory=list)
    named: list[Named] = field(default_factory=list)
    responses: list[Given] = field(default_factory=list)
    failures: dict[int, list[Failure]] = field(default_factory=lambda: defaultdict(list))
    unread: list[Unread] = field(default_factory=list)
    requires_user: bool = False
    """True if code around the handler refuses requests without a user."""
    may_have_user: bool = False
    users: list[FindsUsers] = field(default_factory=list)
    """The features whose users are read."""
    scopes: list[str] = field(default_factory=list)
    """The scopes that credentials must have."""
    hidden: frozenset[str] = frozenset()
    """The names of parameters that the document omits."""
    added: list[Added] = field(default_factory=list)
    """What features add to the responses."""
    early: list[Given] = field(default_factory=list)
    """Responses of the code around the handler; they may bypass some of that code."""
    only_raises: bool = False
    """True if the handler never returns."""
    outside: list[Raised] = field(default_factory=list)
    """Errors of the code around the handler; they may bypass some of that code."""
    changes: list[list[ResponseValue]] = field(default_factory=list)
    """The changes to each response by code after the handler: for each hook, one of its alternatives."""
    add_failure: Callable[[Raised], None] = lambda raised: None  # noqa: ARG005 - set when the contract is read
    """A function that records an exception with its response."""

    @property
    def header_types(self) -> Mapping[str, Any]:
        """The types of the header fields that the route declares."""
        several = (self.route.gives or {}).values()
        return {name.lower(): kind for each in several for name, kind in each.headers.items()}

    @property
    def is_safe(self) -> bool:
        """True if the method never writes."""
        return self.method in SAFE_METHODS

    @property
    def has_content(self) -> bool:
        """True if the method gives request content a meaning, as writes and QUERY do (RFC 10008 §2)."""
        return self.method == "QUERY" or not self.is_safe

    def fail(
        self, status: int, detail: str | None, members: Fields | None = None, headers: tuple[str, ...] = ()
    ) -> None:
        """Record an error raised by the framework itself."""
        error = Raisable(HTTPError.by_status.get(status, HTTPError), status, detail, members=members, headers=headers)
        self.add_failure(Raised(error, NOWHERE))

    def add_unread(self, unread: Unread) -> None:
        """Record something unknown, but only once."""
        if unread not in self.unread:
            self.unread.append(unread)

    def declare_problems(self) -> None:
        """Set the types of errors that are sent as problem details to those declared for their statuses."""
        for given in [each for each in self.responses if each.status in self.failures and each.is_declared]:
            failures = self.failures[given.status]
            if given.media == JSON and failures and all(each.is_problem and not each.responses for each in failures):
                self.responses.remove(given)
                self.failures[given.status] = [each._replace(problem=given.body) for each in failures]

    def apply_changes(self) -> None:
        """Change all responses in the way that the code after the handler does."""
        for change in self.changes:
            before = [*self.responses, *self.early]
            self.responses = [
                _changed(each, one, code)
                for each in before
                for one in change
                for code in one.statuses or (each.status,)
            ]
            failures, self.failures = self.failures, defaultdict(list)
            for one in change:
                for status, each in failures.items():
                    for code in one.statuses or (status,):
                        self.failures[code] += [_changed_failure(failure, one, code) for failure in each]
        self.responses += self.early
        for raised in self.outside if self.changes else ():
            self.add_failure(raised)
        self.early, self.changes = [], []


def _instead(value: Value) -> list[Given | NotKnown]:
    """Return the responses that code around a handler returns instead of the handler's."""
    return [found for each in alternatives(value) if each != NONE for found in responses_of(each)]


def _is_of_feature(function: Any) -> bool:
    """True for a hook or middleware of a feature that declares what it adds."""
    owners = function, getattr(function, "__self__", None), *getattr(function, "args", ())
    return any(isinstance(each, Adding) for each in owners)


def _with_conditions(given: Given, added: list[Added]) -> Given:
    """Return a response that features may turn into a 304 or a 206, if it has the field that they need."""
    statuses = {each.status for each in added if each.needs in given.headers}
    is_whole = given.status == 200
    return given._replace(
        is_conditional=given.is_conditional or (is_whole and 304 in statuses),
        has_ranges=given.has_ranges or (is_whole and 206 in statuses),
    )


def _changed(given: Given, change: ResponseValue, status: int) -> Given:
    return given._replace(
        status=status, media=change.media if given.media and change.media else given.media
    ).with_headers(change.headers)


def _changed_failure(failure: Failure, change: ResponseValue, status: int) -> Failure:
    responses = [_changed(each, change, status if change.statuses else each.status) for each in failure.responses]
    if failure.is_problem and change.media is not None:
        return Failure(
            failure.detail, (*responses, Given(status, change.media, UNKNOWN)), False, headers=failure.headers
        )
    return failure._replace(
        responses=tuple(responses), headers=tuple(dict.fromkeys((*failure.headers, *change.headers)))
    )


FindHandler: TypeAlias = Callable[[BaseException], Callable[..., Any] | None]
"""A function that returns the handler of an error, or None."""


class ContractReader:
    """The contracts of one application's routes. ``sources`` contains files that are already parsed."""

    def __init__(self, words: Words | None = None, sources: Sources | None = None) -> None:
        self._code = CodeReader(words, sources)

    def read(self, planned: PlannedRoute, method: str) -> Contract:
        """Return the contract of a route's method, based on its code, its annotations and its declarations."""
        route = planned.route
        self._code.method, self._code.path, self._code.providers = method, route.pattern, planned.providers
        contract = Contract(route, method)
        found = self._code.read(route.handler)
        contract.add_failure = partial(self._add_failure, contract, planned.error_handler)
        self._add_reads(contract, found)
        contract.users, contract.requires_user = [*found.users], HAS_USER in found.always
        contract.may_have_user = bool(found.users) or any(each.error.status == 401 for each in found.raised)
        self._add_responses(contract, found)
        self._add_changes(contract, found)
        raised = [*found.raised]
        for function in planned.resolved:  # run before the handler, whether or not it reads the dependency
            raised += self._add_read(contract, function).raised
        for function in planned.after:
            raised += self._add_around(contract, function, RECEIVED)
        inside = len(contract.changes)
        for function in (*planned.middleware, *planned.before):
            contract.scopes += getattr(function, "__scopes__", ())
            contract.outside += self._add_around(contract, function)
        self._add_features(contract, planned)
        raised += contract.outside
        contract.changes[inside:] = reversed(contract.changes[inside:])  # the innermost code receives a response first
        if not contract.changes:
            contract.responses, contract.early = contract.responses + contract.early, []
        self._declare(contract)
        contract.responses = [_with_conditions(each, contract.added) for each in contract.responses]
        for each in raised:
            contract.add_failure(each)
        for given in [] if contract.has_content else [each for each in contract.responses if each.is_success]:
            for status in (412,) * given.is_conditional + (416,) * (given.has_ranges and given.status == 200):
                contract.fail(status, None)
        known = {*contract.failures}
        for kind in dict.fromkeys((*_UNEXPECTED, *filter(is_of_library, planned.handled_errors))):
            if _handler_of(planned.error_handler, Raisable(kind)) is not None:
                contract.add_failure(Raised(Raisable(kind), found.place))
        if 500 not in known:
            contract.failures.pop(500, None)  # any of the responses may be the one to a failure
        contract.declare_problems()
        return contract

    # Responses

    def _add_responses(self, contract: Contract, found: Findings) -> None:
        given = given_by(found)
        contract.only_raises = not given
        contract.responses += [each for each in given if isinstance(each, Given)]
        unknown = [Unread(each.text, found.place, "given") for each in given if isinstance(each, NotKnown)]
        is_stated = found.stated is not annotations.NOT_SAID and not unknown
        contract.unread += [each for each in found.unread if not (each.about == "given" and is_stated)]
        if not any(each.about in ("given", "all") for each in contract.unread):
            contract.unread += unknown
        if any(map(has_unknown_json, given)):
            contract.add_unread(Unread("the JSON of its response is not known before it runs", found.place, "body"))

    def _add_features(self, contract: Contract, planned: PlannedRoute) -> None:
        """Add what features declare to add."""
        contract.added = [each for _, each in added_to(planned, contract.method)]
        if any(source._asks_store for users in contract.users for source in users.__security__()[0]):
            contract.added.append(Added(503, StoreUnavailable))
        for each in [each for each in contract.added if each.status is not None and each.needs is None]:
            if each.error is None:
                contract.early.append(Given(each.status or 0, headers=each.headers))
            else:
                members = Fields(tuple((name, Of(kind)) for name, kind in each.members.items()))
                error = Raisable(each.error, each.status, each.detail, each.type, members, each.headers)
                contract.outside.append(Raised(error, NOWHERE))

    def _add_around(self, contract: Contract, function: Any, *passed: Value) -> list[Raised]:
        """Add the input and responses of a hook or middleware and return the errors that it raises."""
        if _is_of_feature(function):
            return []
        found = self._add_read(contract, function, *passed)
        contract.requires_user = contract.requires_user or any(each.error.status == 401 for each in found.raised)
        is_ours_ = is_ours(function_of(function))
        for each in _instead(either(found.result, found.yields)):
            if isinstance(each, Given):
                contract.early.append(each)
            elif not is_ours_:
                contract.add_unread(Unread("it may return a value that is not known", found.place, "given"))
        if not is_ours_:
            self._add_changes(contract, found)
        return found.raised

    def _add_changes(self, contract: Contract, found: Findings) -> None:
        """Add the changes to responses by code after the handler."""
        passed = [each for each in alternatives(found.passed) if isinstance(each, ResponseValue) and each.is_passed_on]
        if any(each != RECEIVED for each in passed):
            contract.changes.append(passed)
        instead = _instead(either(*[each for each in alternatives(found.passed) if each not in passed]))
        contract.early += [each for each in instead if isinstance(each, Given)]
        if any(isinstance(each, NotKnown) for each in instead) or any(each.statuses is None for each in passed):
            contract.add_unread(Unread("it changes responses in a way that is not known", found.place, "raised"))

    def _add_read(self, contract: Contract, function: Any, *given: Value) -> Findings:
        """Analyze a function around a handler and add what it reads. Antiphon's own functions are described
        separately."""
        found = self._code.read(function, *given)
        contract.users += [each for each in found.users if each not in contract.users]
        if not is_ours(function_of(function)):
            self._add_reads(contract, found)
            contract.may_have_user = contract.may_have_user or bool(found.users)
            for each in found.unread:
                contract.add_unread(each)
        return found

    def _add_reads(self, contract: Contract, found: Findings) -> None:
        keys = {key[1] for key in found.always}
        contract.reads += [each._replace(is_always=f".{each.part} {each.wanted}" in keys) for each in found.reads]
        contract.named += [each._replace(is_always=f".{each.part} {each.name}" in keys) for each in found.named]

    # Errors

    def _add_failure(self, contract: Contract, find: FindHandler, raised: Raised) -> None:
        error = raised.error
        if issubclass(error.kind, Redirect | NotModified):
            if error.status == 304 and not contract.is_safe:  # only reads can have a 304 (RFC 9110 §15.4.5)
                return
            headers = ("location",) if error.status in range(301, 400) and error.status != 304 else ()
            contract.responses.append(Given(error.status or 303, headers=headers))
            return
        handler = _handler_of(find, error)
        status = error.status or 500
        if handler is None:
            if issubclass(error.kind, HTTPError):
                contract.failures[status].append(_failure(raised))
            elif contract.only_raises and not any(each.is_declared for each in contract.responses):
                contract.failures[status].append(Failure("The server failed."))
            return
        found = self._code.read(handler, error)
        optional = [each._replace(is_required=False) for each in found.named]
        self._add_reads(contract, replace(found, named=optional, always=frozenset()))
        if any(each.is_required for each in found.named):
            contract.failures[400].append(Failure(None))
        for unread in found.unread if not is_ours(function_of(handler)) else ():
            if unread.about != "given":
                contract.add_unread(unread)
        raised_again = any(each.error == error for each in found.raised)
        for each in found.raised:
            if each.error != error and each.error.status is not None:
                contract.failures[each.error.status].append(_failure(each))
        responses = given_by(found)
        if raised_again and not responses:
            contract.failures[status].append(_failure(raised))
        for response in responses:
            if isinstance(response, NotKnown):
                untold = [each for each in found.unread if each.about == "given"]
                for unread in untold or [Unread(response.text, found.place, "given")]:
                    contract.add_unread(unread._replace(about="all"))  # it may have any status
                contract.failures[status].append(Failure(error.detail, is_problem=raised_again))
                continue
            own = response.status if response.has_own_status else status
            is_problem = response.media == PROBLEM
            responses_ = () if is_problem and not response.headers else (response._replace(status=own),)
            contract.failures[own].append(_failure(raised, responses_, is_problem=raised_again or is_problem))

    # Declarations

    def _declare(self, contract: Contract) -> None:
        """Replace the findings with the route's declarations."""
        route, place = contract.route, _place_of(contract.route)
        if (takes := route.meta.get(RouteKeys.takes)) is not None:
            parts: Mapping[Any, Any] = takes if isinstance(takes, Mapping) else {"json": takes}
            is_body = bool({"json", "form"} & {*parts})
            replaced = {"json", "form", "raw", "rows", "patch"} if is_body else set()
            contract.reads = [each for each in contract.reads if each.part not in {*replaced, *parts}]
            contract.reads += [read_as(part, wanted, place)._replace(is_always=True) for part, wanted in parts.items()]
            if is_body:
                contract.named = [each for each in contract.named if each.part not in ("form", "files", "json")]
            contract.unread = [each for each in contract.unread if each.about != "taken"]
            if route.gives is not None:
                contract.unread = [each for each in contract.unread if each.about != "all"]
        if route.gives is not None:
            said = [_declared(status, each) for status, each in route.gives.items()]
            if any(each.status < 400 for each in said):
                contract.unread = [each for each in contract.unread if each.about not in ("given", "body")]
            if any(each.status >= 400 for each in said):
                contract.unread = [each for each in contract.unread if each.about != "raised"]
            for each in contract.responses:  # the fields that its code sets
                said = [one.with_headers(each.headers) if one.status == each.status else one for one in said]
            contract.responses = [each for each in contract.responses if each.status not in route.gives] + said


def _handler_of(find: FindHandler, error: Raisable) -> Callable[..., Any] | None:
    example: BaseException
    try:
        example = error.kind.__new__(error.kind)
        if isinstance(example, HTTPError):
            example.status = error.status or 500
            if type(example) is HTTPError:
                example = http_error(example.status)
    except Exception:  # it can't be made without arguments
        return None
    return find(example)


def _declared(status: int, gives: Gives) -> Given:
    return _with_body(status, gives.type).with_headers([name.lower() for name in gives.headers])


def _with_body(status: int, kind: Any) -> Given:
    if kind is None or kind is type(None):
        return Given(status)
    if isinstance(kind, type) and issubclass(kind, HTTPError):
        return Given(status, PROBLEM, _problem_of(Raisable(kind)))
    found = next((each for each in responses_of(value_of(kind)) if isinstance(each, Given)), None)
    return (found or Given(status, JSON, value_of(kind)))._replace(status=status, is_declared=True)


def _failure(raised: Raised, responses: tuple[Given, ...] = (), *, is_problem: bool = True) -> Failure:
    error = raised.error
    return Failure(error.detail, responses, is_problem, _problem_of(error), error.headers, raised.place)


def _problem_of(error: Raisable) -> Value:
    """Return the additional members of an error's problem details, besides those that all problems have."""
    kind = error.type or _type_of(error.kind)
    items = error.members.items if error.members else ()
    return Fields(((("type", Known(kind)),) if kind else ()) + items) if kind or items else NONE


def _type_of(cls: type) -> str | None:
    """Return the type in the problem details of a class's errors, unless the class's code may set another type."""
    method = annotations.method_of(cls, "__init__")
    if method is not None and not is_ours(method) and "type" in names_in(method):
        return None
    found = getattr(cls, "type", None)
    return found if isinstance(found, str) and found != HTTPError.type else None


def _place_of(route: Route) -> Place:
    function = function_of(innermost(route.handler))
    if function is None:
        return Place(route.name, type(route.handler).__name__, 0)
    return Place(route.name, function.__code__.co_filename, function.__code__.co_firstlineno)

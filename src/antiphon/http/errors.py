"""Errors with a status, which you can raise anywhere while a request is handled (RFC 9110 §15.5, RFC 9457).

HTTPError
├── 4xx  BadRequest ... UnavailableForLegalReasons, ClientDisconnected
└── 5xx  InternalServerError ... NetworkAuthenticationRequired
"""

from collections import UserString
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from copy import copy
from copyreg import __newobj__  # type: ignore[attr-defined]  # pickle uses it to make an object without __init__
from errno import EDQUOT, EFBIG, ENOSPC
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Literal,
    NoReturn,
    NotRequired,
    TypeAlias,
    TypedDict,
    TypeVar,
    Unpack,
    cast,
    overload,
)

from antiphon.explanations import explained
from antiphon.explanations.naming import WORDS, OtherWord, word_for
from antiphon.http.dates import format_retry_after
from antiphon.http.grammar import is_token
from antiphon.http.headers import HeaderFields, MutableHeaders
from antiphon.http.ranges import ContentRange
from antiphon.http.status import PHRASES, phrase

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from antiphon.http.authorization import Challenge

E = TypeVar("E", bound="HTTPError")
Raised = TypeVar("Raised", bound=BaseException)

Text: TypeAlias = str | UserString
"""Text, or an object that converts to text, such as a lazy translation into the request's language."""

_OWN_MEMBERS = ("type", "title", "status", "detail")
"""The members of problem details that are attributes of errors (RFC 9457 §3.1)."""


class Problem(dict[str, object]):
    """A problem details object (RFC 9457 §3). If a handler returns one, the response is application/problem+json with
    its status.
    """

    __slots__ = ()

    def __missing__(self, name: str) -> object:
        """Return an empty text for a detail that the error lacks, which a page of errors may show all the same."""
        if name == "detail":
            return ""
        raise KeyError(name)

    def __or__(self, more: dict[str, object]) -> "Problem":  # type: ignore[override]
        return Problem({**self, **more})


FieldProblemCode: TypeAlias = Literal[
    "invalid", "missing", "not_a_boolean", "not_a_choice", "not_a_date", "not_a_datetime", "not_a_duration",
    "not_a_file", "not_a_multiple", "not_a_number", "not_a_string", "not_a_time", "not_a_uuid", "not_an_array",
    "not_an_integer", "not_an_object", "not_base64", "out_of_range", "pattern_mismatch", "too_few", "too_long",
    "too_many", "too_short", "unknown", "wrong_name", "wrong_type",
]  # fmt: skip
"""The name of a kind of fault. ``invalid`` means any other fault, which only the detail describes."""


class FaultBounds(TypedDict, total=False):
    """The bounds that a value violates, for messages of your own."""

    min: float
    """The minimum length, item count or value."""
    max: float
    above: float
    """The bound that a number must exceed."""
    below: float
    multiple_of: float
    pattern: str
    choices: list[Any]
    """The allowed values, at most twenty."""


class FieldProblem(FaultBounds):
    """One of the ``errors`` in problem details (RFC 9457 §3): an invalid field of a body, form or query.

    ``pointer`` is a JSON Pointer to the field (RFC 6901), or empty for the whole input; ``detail`` says what is wrong,
    and ``code`` identifies the fault for programs: a ``FieldProblemCode``, unless the error is your own.
    """

    pointer: str
    detail: str
    code: NotRequired[str]
    line: NotRequired[int]
    """The first line of a wrong row, counted from 1."""


class ProblemOptions(TypedDict, total=False):
    """The options that all errors have, except the headers."""

    type: str | None
    """The URI that identifies the type of problem."""
    title: str | None
    """A short summary of the problem, instead of the status's phrase."""
    members: Mapping[str, object] | None
    """Additional members of the problem details object."""


class ErrorOptions(ProblemOptions, total=False):
    """The options that all errors have."""

    headers: HeaderFields


class AbortOptions(ErrorOptions, total=False):
    """The options that all errors have, and those for particular statuses."""

    challenge: "str | Challenge | Iterable[str | Challenge] | None"
    """For a 401 or a 407."""
    allow: Iterable[str] | None
    """For a 405."""
    length: int | None
    """For a 416."""
    upgrade: str | Iterable[str] | None
    """For a 426."""
    retry_after: "float | timedelta | datetime | None"
    """For a 429 or a 503."""


def _text_of(detail: object) -> str:
    """Return the text of a lazy string in the current request's language. Raises TypeError for other objects."""
    if not isinstance(detail, UserString):
        raise explained("wrong-body", f"an error's detail must be text, not {detail.__class__.__name__}", TypeError)
    return str(detail)


def _checked_status(status: int) -> int:
    if not 400 <= status <= 599:
        hint = "; to redirect, raise Redirect(location)" if 300 <= status <= 399 else ""
        raise explained("bad-status", f"an HTTPError must have a status of 400 to 599, not {status}{hint}")
    return status


class _PhraseOfStatus:
    def __get__(self, error: "HTTPError | None", kind: type["HTTPError"]) -> str:
        return phrase((error or kind).status)


class HTTPError(Exception):
    """An error with a status and an optional detail for the client: ``HTTPError(418, "There is only tea.")``.

    A class with its own status needs only the detail: ``NotFound("There is no such order.")``. ``detail`` is shown to
    the client; a ``UserString`` is converted to a str. ``headers`` are added to the response. ``type`` is the URI of
    the problem type (RFC 9457 §3.1), ``title`` a short summary, and ``members`` are additional members of the problem
    details object (§3.2). A subclass may set each of these as a class attribute; ``headers`` and ``members`` are added
    to its own. Raises ValueError for a status outside 400 to 599.
    """

    by_status: ClassVar[Mapping[int, "type[HTTPError]"]] = {}
    """The error classes by status."""
    status: int = 500
    type: str = "about:blank"
    title = cast("str", _PhraseOfStatus())
    detail: str | None = None
    headers = MutableHeaders.over([])
    members: dict[str, object] = {}  # noqa: RUF012 - each error has its own
    _is_localized: ClassVar[bool] = False
    """True for a copy in the language of a request."""

    @overload
    def __init__(self, status: int, detail: Text | None = None, **options: Unpack[ErrorOptions]) -> None: ...
    @overload
    def __init__(self, detail: Text | None = None, /, **options: Unpack[ErrorOptions]) -> None: ...
    @overload
    def __init__(self, *, detail: Text | None = None, **options: Unpack[ErrorOptions]) -> None: ...
    def __init__(
        self,
        status: int | Text | None = None,
        detail: Text | None = None,
        *,
        headers: HeaderFields = (),
        type: str | None = None,  # noqa: A002 - RFC 9457's own name
        title: str | None = None,
        members: Mapping[str, object] | None = None,
        **unknown: object,
    ) -> None:
        """Raises TypeError for a detail that isn't text, for an unknown option, and for a member that has its own
        parameter.
        """
        if unknown:
            _refuse_option(self.__class__, next(iter(unknown)))
        if status is not None and not isinstance(status, int):
            if detail is not None:
                raise explained("bad-status", f"an error's status must be a number, not {status!r}", TypeError)
            status, detail = None, status
            if self.__class__ is HTTPError:
                self.add_note(f"This is a 500, because no status is given: HTTPError(404, {detail!r:.80})")
        if detail is None and isinstance(of_class := self.__class__.detail, UserString):  # a property is read later
            detail = of_class
        if detail is not None:
            self.detail = detail = detail if isinstance(detail, str) else _text_of(detail)
        super().__init__(detail)
        if status is not None:
            self.status = _checked_status(status)
        if type is not None:
            self.type = type
        if title:
            self.title = title
        fields = self.headers._fields
        self.headers = MutableHeaders(headers) if headers else MutableHeaders.over([])
        if fields:
            self.headers.extend([field for field in fields if field[0] not in self.headers])
        self.members = {**self.members} if members is None else {**self.members, **_checked_members(members)}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if isinstance(cls.status, int):
            _checked_status(cls.status)
        _checked_members(cls.members)

    @property
    def errors(self) -> list[FieldProblem]:
        """The individual errors of a 422, each with its ``pointer``, ``detail`` and ``code``; empty if there are none.

        They are the ``errors`` member of the problem details.
        """
        errors = self.members.get("errors")
        return [*errors] if isinstance(errors, list | tuple) else []

    if not TYPE_CHECKING:  # type checkers know the attributes

        def __getattr__(self, name: str) -> Any:
            """Raise an AttributeError that shows Antiphon's name for another framework's."""
            if ours := WORDS["HTTPError"].get(name):
                OtherWord(name, ours).__get__(self, self.__class__)
            return super().__getattribute__(name)

    def __reduce__(self) -> tuple[Any, ...]:
        return __newobj__, (self.__class__, *self.args), self.__dict__

    def __str__(self) -> str:
        return f"{self.status} {self.title}" + (f": {self.detail}" if self.detail else "")

    def problem(self) -> dict[str, object]:
        """Return the problem details object (RFC 9457 §3), ready for JSON, or to be returned by an error handler."""
        if localizers and not self._is_localized and (told := localizers[0](self)) is not self:
            return HTTPError.problem(told)
        problem = Problem(type=self.type, title=self.title, status=self.status)
        if self.detail is not None:
            problem["detail"] = self.detail
        return problem | self.members


localizers: "list[Callable[[HTTPError], HTTPError]]" = []
"""The function that returns an error in the language of the current request; none while no application has languages.
"""


def _checked_members(members: Mapping[str, object]) -> dict[str, object]:
    own = next((name for name in _OWN_MEMBERS if name in members), None)
    if own is not None:
        message = f"the member {own!r} of problem details has its own parameter: leave it out of members"
        raise explained("unknown-error-option", message, TypeError)
    return {**members}


def _refuse_option(kind: type[HTTPError], name: str) -> NoReturn:
    """Raise a TypeError for an option that an error does not have."""
    from inspect import signature

    known = {**signature(kind).parameters, **ErrorOptions.__annotations__}
    options = [each for each in known if each not in ("status", "options", "unknown")]
    near = word_for(name, WORDS["HTTPError"], options)
    meant = f": did you mean {near!r}?" if near else "."
    raise explained(
        "unknown-error-option",
        f"{kind.__name__} has no option {name!r}{meant} It has {', '.join(options)}; a member of the problem"
        f" details is one of members={{{name!r}: ...}}",
        TypeError,
    )


class BadRequest(HTTPError):
    """400: the request is malformed (RFC 9110 §15.5.1)."""

    status = 400


class _Challenging(HTTPError):
    """An error with a challenge to authenticate (RFC 9110 §11.6.1, §11.7.1)."""

    _field: ClassVar[str]

    def __init__(
        self,
        detail: Text | None = None,
        *,
        challenge: "str | Challenge | Iterable[str | Challenge] | None" = None,
        headers: HeaderFields = (),
        **options: Unpack[ProblemOptions],
    ) -> None:
        fields = _with_list(headers, self._field, challenge)
        super().__init__(detail, headers=fields, **options)


def _with_list(headers: HeaderFields, name: str, values: object) -> MutableHeaders:
    """Return headers with one of them set to a list of one or more values (RFC 9110 §5.6.1); None leaves it
    unchanged.
    """
    fields = MutableHeaders(headers)
    if values is not None:
        several = values if isinstance(values, Iterable) and not isinstance(values, str) else [values]
        fields[name] = ", ".join(map(str, several))
    return fields


class Unauthorized(_Challenging):
    """401: credentials are missing or wrong (RFC 9110 §15.5.2).

    ``challenge`` becomes WWW-Authenticate: a ``Challenge``, its text, or several of either. Without a challenge, the
    response gets the challenges of the application's ``Users``, or "Bearer".
    """

    status = 401
    _field = "www-authenticate"


class PaymentRequired(HTTPError):
    """402 (RFC 9110 §15.5.3)."""

    status = 402


class Forbidden(HTTPError):
    """403: the request is refused (RFC 9110 §15.5.4)."""

    status = 403


class NotFound(HTTPError):
    """404: the resource does not exist, or must not be disclosed (RFC 9110 §15.5.5)."""

    status = 404


class MethodNotAllowed(HTTPError):
    """405: the resource exists, but doesn't support this method (RFC 9110 §15.5.6).

    ``allow`` becomes the Allow header: the methods that the resource supports. Without it, the response lists the other
    methods of the route's path. Raises TypeError for a single str, and ValueError for a method that isn't a token.
    """

    status = 405

    def __init__(
        self,
        detail: Text | None = None,
        *,
        allow: Iterable[str] | None = None,
        headers: HeaderFields = (),
        **options: Unpack[ProblemOptions],
    ) -> None:
        if isinstance(allow, str):
            raise explained("list-wanted", f"allow must be a collection of methods, such as [{allow!r}]", TypeError)
        methods = None if allow is None else [*allow]
        for method in methods or ():
            if not is_token(method):
                raise explained("bad-header-value", f"a method in the Allow header must be a token, not {method!r}")
        fields = _with_list(headers, "allow", methods)
        super().__init__(detail, headers=fields, **options)


class NotAcceptable(HTTPError):
    """406: there is no representation that the client accepts (RFC 9110 §15.5.7)."""

    status = 406


class ProxyAuthenticationRequired(_Challenging):
    """407 (RFC 9110 §15.5.8). ``challenge`` becomes Proxy-Authenticate; see ``Unauthorized``."""

    status = 407
    _field = "proxy-authenticate"


class RequestTimeout(HTTPError):
    """408: the request did not arrive in time (RFC 9110 §15.5.9)."""

    status = 408


class Conflict(HTTPError):
    """409: the request conflicts with the state of the resource (RFC 9110 §15.5.10)."""

    status = 409


class Gone(HTTPError):
    """410: the resource is gone permanently (RFC 9110 §15.5.11)."""

    status = 410


class LengthRequired(HTTPError):
    """411: a Content-Length is needed (RFC 9110 §15.5.12)."""

    status = 411


class PreconditionFailed(HTTPError):
    """412: a precondition of the request failed (RFC 9110 §15.5.13)."""

    status = 412


class ContentTooLarge(HTTPError):
    """413: the body is larger than the limit (RFC 9110 §15.5.14)."""

    status = 413


class URITooLong(HTTPError):
    """414: the target is longer than the limit (RFC 9110 §15.5.15)."""

    status = 414


class UnsupportedMediaType(HTTPError):
    """415: a body with this type or coding is not supported (RFC 9110 §15.5.16)."""

    status = 415


class RangeNotSatisfiable(HTTPError):
    """416: none of the ranges lies within the representation, which has ``length`` bytes (RFC 9110 §15.5.17)."""

    status = 416

    def __init__(
        self, detail: Text | None = None, *, length: int | None = None, **options: Unpack[ErrorOptions]
    ) -> None:
        super().__init__(detail, **options)
        if length is not None:
            self.headers["content-range"] = str(ContentRange.unsatisfied(length))


class ExpectationFailed(HTTPError):
    """417 (RFC 9110 §15.5.18)."""

    status = 417


class MisdirectedRequest(HTTPError):
    """421: this server does not serve the requested host (RFC 9110 §15.5.20)."""

    status = 421


class UnprocessableContent(HTTPError):
    """422: the content is well-formed, but invalid (RFC 9110 §15.5.21)."""

    status = 422


class FieldError(UnprocessableContent, ValueError):
    """A 422 for one invalid field: ``FieldError("/amount", "is less than the highest bid")``.

    ``pointer`` is a JSON Pointer (RFC 6901) to the field, or empty for the whole input; ``detail`` says what is wrong,
    and ``code`` identifies the fault for programs. If a handler raises it, it is the response's only error. In a
    ``__post_init__``, the pointer begins at the record, and the error is listed with the errors of other fields. Raises
    ValueError for a pointer that begins with anything but a slash.
    """

    def __init__(self, pointer: str, detail: Text, *, code: str = "invalid") -> None:
        if pointer and pointer[0] != "/":
            raise explained("bad-pointer", f"a JSON Pointer must be empty or begin with a slash, not {pointer!r}")
        text = detail if isinstance(detail, str) else _text_of(detail)
        fault: FieldProblem = {"pointer": pointer, "detail": text, "code": code}
        super().__init__("1 field is wrong", members={"errors": [fault]})


class UpgradeRequired(HTTPError):
    """426: another protocol is needed (RFC 9110 §15.5.22). ``upgrade`` becomes the Upgrade header: one or more
    protocols.
    """

    status = 426

    def __init__(
        self,
        detail: Text | None = None,
        *,
        upgrade: str | Iterable[str] | None = None,
        headers: HeaderFields = (),
        **options: Unpack[ProblemOptions],
    ) -> None:
        fields = _with_list(headers, "upgrade", upgrade)
        super().__init__(detail, headers=fields, **options)


class _ComeBack(HTTPError):
    """An error with an optional Retry-After (RFC 9110 §10.2.3)."""

    def __init__(
        self,
        detail: Text | None = None,
        *,
        retry_after: "float | timedelta | datetime | None" = None,
        **options: Unpack[ErrorOptions],
    ) -> None:
        super().__init__(detail, **options)
        if retry_after is not None:
            self.headers["retry-after"] = format_retry_after(retry_after)


class TooManyRequests(_ComeBack):
    """429: the client sent too many requests (RFC 6585 §4). ``retry_after`` is seconds, a timedelta or a datetime."""

    status = 429


class RequestHeaderFieldsTooLarge(HTTPError):
    """431: the header section is larger than the limit (RFC 6585 §5)."""

    status = 431


class ClientDisconnected(HTTPError):
    """499: the client disconnected before the response, so only logs show this status."""

    status = 499


class IncompleteBody(ClientDisconnected):
    """A body that a lost connection or, where the server reports the same for both, a malformed chunk has cut off.

    Logs show a 499. A client that is still there gets a 400 (RFC 9112 §8).
    """


class InternalServerError(HTTPError):
    """500: the server failed (RFC 9110 §15.6.1)."""

    status = 500


class NotImplementedByServer(HTTPError):
    """501: the server does not implement this (RFC 9110 §15.6.2)."""

    status = 501
    _is_outage = True
    """True for errors that would be the same for each request, so that they are logged once per second."""


class BadGateway(HTTPError):
    """502 (RFC 9110 §15.6.3)."""

    status = 502


class ServiceUnavailable(_ComeBack):
    """503: the server can't handle the request now (RFC 9110 §15.6.4). ``retry_after`` is seconds, a timedelta or a
    datetime.
    """

    status = 503


class GatewayTimeout(HTTPError):
    """504 (RFC 9110 §15.6.5)."""

    status = 504


class InsufficientStorage(HTTPError):
    """507: the server has no room to store the content (RFC 4918 §11.5)."""

    status = 507

    @staticmethod
    def if_disk_is_full() -> AbstractContextManager[None]:
        """Return a context manager that raises this error instead of the OSErrors of a full disk or quota, or of a file
        that is too large for its file system or process.
        """
        return _IfDiskIsFull()


class _IfDiskIsFull(AbstractContextManager[None]):  # not a generator, whose frames the error would keep alive
    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, OSError) and error.errno in (ENOSPC, EDQUOT, EFBIG):
            raise InsufficientStorage("no disk space is left to store the request body") from error


HTTPError.by_status = {
    cls.status: cls
    for family in (HTTPError, _Challenging, _ComeBack)
    for cls in family.__subclasses__()
    if "status" in vars(cls)
}
assert HTTPError.by_status.keys() <= PHRASES.keys()  # noqa: S101


def http_error(status: int, detail: Text | None = None, **options: Unpack[AbortOptions]) -> HTTPError:
    """Make the error for a status, using the status's own class if there is one. ``options`` are the options of that
    class.
    """
    cls = HTTPError.by_status.get(status)
    passed_on = cast("ErrorOptions", options)  # the class checks its other options
    return cls(detail, **passed_on) if cls is not None else HTTPError(status, detail, **passed_on)


def abort(status: int, detail: Text | None = None, **options: Unpack[AbortOptions]) -> NoReturn:
    """Raise the error for a status of 400 to 599: ``abort(404, "There is no such order.")`` (RFC 9110 §15.5, §15.6).

    ``options`` are the options of the status's class: ``headers``, ``type``, ``title`` and ``members``, and
    ``challenge``, ``allow``, ``length``, ``upgrade`` or ``retry_after`` if the class has that option. Raises ValueError
    for a status outside this range, and TypeError for a status that isn't a number or an option that the class doesn't
    have.
    """
    if not isinstance(status, int):
        raise explained(
            "bad-status", f"abort takes a number as the status, as in abort(404), not {status!r}", TypeError
        )
    raise http_error(status, detail, **options)


def without_traceback(error: Raised) -> Raised:
    """Return a copy of an error, to be kept and raised again later.

    An object that keeps an error also keeps the frames of its traceback, with all their variables. If one of these
    refers back to the object, only the garbage collector can free them.
    """
    return copy(error)


def over_limit(kind: type[E], limit: str, maximum: float, detail: str) -> E:
    """Make an error that reports a limit and its maximum, also as members of its problem details.

    Its ``type`` (RFC 9457 §3.1.1) ends with the limit's name.
    """
    return kind(detail, type=f"urn:antiphon:limit:{limit}", members={"limit": limit, "maximum": maximum})

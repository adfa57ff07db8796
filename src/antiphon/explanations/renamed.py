"""Names from before version 1.0 that have changed. One that a version had works, with a DeprecationWarning that shows
what to write instead; using any other raises an error that does.
"""

import warnings
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

DEPRECATED: Mapping[str, Mapping[str, tuple[str, str]]] = {}
"""What a version had: in a place to import from, of an object there, of the arguments of a class or a function, as in
``antiphon.features``, ``antiphon.features.Cache`` and ``antiphon.features.Cache()``, and of the command, ``antiphon``.
For each old name, there is the new one, and when the old one goes, such as "0.3, in June 2027".
"""


def _warn(text: str) -> None:
    warnings.warn(text, DeprecationWarning, stacklevel=4)  # where the name is used


def still(place: str, name: str, tell: Callable[[str], object] = _warn) -> str | None:
    """Return the new name of one that still works, and tell it, or return None."""
    ours, until = DEPRECATED.get(place, {}).get(name, (None, ""))
    if ours is not None:
        tell(f"{name!r} of {place} is now {ours!r}; the old name works until version {until}")
    return ours


def with_old_names(place: str, value: Any) -> Any:
    """Let an object that is imported from a place have its old names, and take its old arguments."""
    for name in DEPRECATED.get(place, ()):
        setattr(value, name, _OldName(place, name))
    for call in [each for each in DEPRECATED if each.startswith(f"{place}.") and each.endswith("()")]:
        method = call.removeprefix(f"{place}.")[:-2]
        setattr(value, method, _with_old_arguments(call, getattr(value, method)))
    if f"{place}()" not in DEPRECATED:
        return value
    if not isinstance(value, type):
        return _with_old_arguments(f"{place}()", value)
    value.__init__ = _with_old_arguments(f"{place}()", value.__init__)  # type: ignore[misc]
    return value


class _OldName:
    def __init__(self, place: str, name: str) -> None:
        self._name = place, name

    def __get__(self, instance: object, owner: type) -> Any:
        return getattr(owner if instance is None else instance, still(*self._name) or "")

    def __set__(self, instance: object, value: object) -> None:
        setattr(instance, still(*self._name) or "", value)


def _with_old_arguments(place: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        for name in options.keys() & DEPRECATED[place].keys():
            options[still(place, name) or name] = options.pop(name)
        return function(*arguments, **options)

    return call


GEO = "a dependency that looks request.ip up with the package maxminddb"
REQUEST = {
    "of": "Request.from_framework(environ), or with a scope or another framework's request",
    "aof": "await Request.afrom_framework(request)",
    "native": "request.framework",
    "location": GEO,
    "geo": GEO,
    "signer": "request.signature",
    "signed_headers": "request.signature.headers",
    "after_request": "request.on_response(function)",
    "accept_charsets": "request.headers.get('accept-charset')",
    "progress": "XMLHttpRequest.upload.onprogress in the page",
}
RESPONSE = {"like": "response.to_framework(request)", "conditional": "response.make_conditional(request)"}
ROUTES = {
    "complete": "@app.before_send",
    "provides": "app.is_provided(dependency)",
    "share": "app.template_context(name=value)",
}
ROUTE = {"signed": "signed_url=True"}
APP_SETTINGS = {"share_by": "queue_by"}
"""For each class, an attribute or an argument and what to write instead."""

CLOCK, NOW = "MemoryStore(clock=function) as its store", "time.time(), which tests can set by time-machine"
ARGUMENTS: Mapping[str, Mapping[str, str]] = {
    "Cache.__init__": {
        "clock": CLOCK,
        "largest": "max_body=bytes",
        "most": "max_bytes=bytes",
        "most_in_files": "max_file_bytes=bytes",
        "patience": "timeout=seconds",
    },
    "Channel.__init__": {"keep": "max_messages=number"},
    "Compression.__init__": {"minimum": "min_size=bytes"},
    "Dependency.__init__": {"kept": "recorded=True"},
    "IdempotentWrites.__init__": {"clock": CLOCK, "largest": "max_body=bytes"},
    "Metrics.__init__": {"series": "max_series=number"},
    "RateLimit.__init__": {"clock": CLOCK},
    "Recorder.__init__": {"largest": "max_body=bytes", "most": "max_records=number"},
    "RefreshTokens.__init__": {"clock": CLOCK},
    "Runs.__init__": {
        "keep": "ttl=seconds",
        "keep_bytes": "max_bytes=bytes",
        "keep_values": "max_values=number",
        "most": "max_runs=number",
        "most_per_owner": "max_runs_per_owner=number",
    },
    "Sessions.__init__": {"clock": CLOCK},
    "Signatures.__init__": {"clock": NOW},
    "Tools.__init__": {"largest": "max_result=bytes"},
    "Webhook.__init__": {"clock": NOW, "tolerance": "the five minutes that are always allowed"},
}
"""For each function, an argument and what to write instead."""

OPTIONS = {"--flavour": "--template", "--patience": "--queue-timeout"}
COMMANDS = {"beside": "compare", "kept": "records"}
"""For each option and command of ``antiphon``, the one to use instead."""

ABORT = "abort(423), or another number, and HTTPError with error.status"
WRITTEN_OUT = "the Literal or the union that stands in the signature"
OPTIONS_BY_NAME = "the options by their names, which the signature has"
GIVEN = "no annotation, since type checkers know the class of what you are given"
NAMES: Mapping[str, Mapping[str, str]] = {
    "antiphon.http": {
        "AcceptCharset": "request.headers.get('accept-charset')",
        "FieldFault": "FieldProblem",
        "FirstMultiDict MutableMultiDict": "MultiDict",
        "FaultCode": "FieldProblemCode",
        "ForwardedElement ForwardedNode Node format_forwarded parse_forwarded": "TrustedProxies, which read Forwarded",
        "ExternalLocation MissingKey": "ValueError or KeyError",
        "PaymentRequired ProxyAuthenticationRequired ExpectationFailed Locked FailedDependency TooEarly": ABORT,
        "PreconditionRequired UnavailableForLegalReasons LoopDetected NetworkAuthenticationRequired": ABORT,
        "GatewayTimeout LengthRequired NotAcceptable RequestHeaderFieldsTooLarge RequestTimeout": ABORT,
        "URITooLong UpgradeRequired": ABORT,
    },
    "antiphon.features": {
        "Delivery": "WebhookSignature",
        "HtmxRequest": "request.headers, such as request.headers.get('hx-target')",
        "HtmxHeaders redirect_htmx": "a dict of headers beside the body, such as {'hx-trigger': 'saved'}",
        "Keep": "Recorder",
        "GeoIP GeoLocation Location Locations": GEO,
        "Missed": "MissedMessages",
        "RunEnd": "RunEnded, which has a state, a total and a problem",
        "PageFile": "RouteFile",
        "Pages": "FileRoutes",
        "RefreshedToken": GIVEN,
        "RequestSigner": "RequestSignature",
        "GitHubWebhook ShopifyWebhook SlackWebhook StripeWebhook": "Webhook, and write its signature method",
        "UploadProgress": "XMLHttpRequest.upload.onprogress in the page, or ResumableUploads",
        "lazy": "lazy_gettext",
        "patch_elements patch_signals": "Event(text, event='datastar-patch-elements'), or the package datastar-py",
    },
    "antiphon.testing": {
        "AsyncClientWebSocket AsyncStreamedResponse ClientTools StreamedResponse ToolResult": GIVEN,
        "BodyTooLarge TooManyRedirects": "except RuntimeError",
        "Interface": WRITTEN_OUT,
    },
    "antiphon.types": {
        "AbortOptions CacheDirectives ErrorOptions FolderOptions LimitOptions ProblemOptions": OPTIONS_BY_NAME,
        "BodyStream CalledTool ChannelListener ChannelPresence ErrorHandlerDecorator FormError FormFields": GIVEN,
        "FormParts FrameworkValues Globals Kept LazyText Native RecordGroup RouteMeta RowValues RunCall": GIVEN,
        "RunQuestion SessionAccess SettableDependency SharedValues SocketUse WebSocketValues": GIVEN,
        "ClientFiles TestedApplication": WRITTEN_OUT,
        "ConditionalRequest": "antiphon.Request",
        "Shield": "contextlib.AbstractContextManager[None]",
        "AttributeValue BlockNames Body CSRFReason ClientAddress EndReason ForeignApplication": WRITTEN_OUT,
        "ForeignInterface HTTPVersion Number OnDrain PatchMode PolicyDirectives PolicyWords Priority": WRITTEN_OUT,
        "RangeSpec RunOwner SameSite StructuredKind WebSocketMessage": WRITTEN_OUT,
    },
    "antiphon.embedding": {
        "Answer": "FrameworkResponse",
        "NativeRequest": "FrameworkRequest",
        "BACKLOG": "socket.SOMAXCONN",
        "ONE_VALUE": "Limits(json_repeats=0)",
        "arguments_name_ours": "errors_name_it",
        "caller_of check_by": "checked_by",
        "described is_json type_name": "TypeDescription",
        "find_current_request": "antiphon.current_request(None)",
        "names_ours": "class Name(metaclass=NamesOurs, words={...})",
    },
}
"""For each public place, a name and the one to import instead."""

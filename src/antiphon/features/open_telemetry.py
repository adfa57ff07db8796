"""Spans and durations of requests for OpenTelemetry, as a feature.

app.use(OpenTelemetry())

Names and attributes follow the semantic conventions for HTTP (stable since 1.23).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from antiphon import Dependency, Exchange, Observer, Request, explained
from antiphon.embedding import Head, Servable, check_arguments, errors_name_it

if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""The bucket bounds for durations that the conventions recommend."""


class _Traced(NamedTuple):
    """The span of a request, its context, and the head from which attributes have been read so far."""

    span: "Span"
    context: Any
    token: "Token[Any]"
    head: Head


_traced = Dependency[_Traced | None]("trace")
"""The span of a request and its context. It is None once no more code is running for the request, since a token refers
to its context and thereby to the request.
"""


@errors_name_it
class OpenTelemetry(Observer):
    """A feature that makes a server span for each request and measures how long requests take.

        app.use(OpenTelemetry())

    A span continues the trace of the request's ``traceparent``. It is the current span in all code that handles the
    request, including threads and streams, and ends when the response has been sent. Its name looks like ``GET
    /users/<int:id>``. Errors with status 500 and above, and streams that are cut short, are recorded. No attribute
    contains the query.

    ``tracer_provider`` and ``meter_provider`` default to the global ones. Requests for which ``skip(request)`` is true
    are left out. ``skip`` sees a request before the headers of trusted proxies are applied and must not block.
    """

    def __init__(
        self,
        *,
        tracer_provider: "TracerProvider | None" = None,
        meter_provider: "MeterProvider | None" = None,
        skip: Callable[[Request], object] | None = None,
    ) -> None:
        """Raises ModuleNotFoundError without the opentelemetry-api package, and TypeError if ``skip`` is not a plain
        function.
        """
        try:
            from opentelemetry import context, metrics, propagate, trace
        except ModuleNotFoundError as error:
            raise explained(
                "missing-package",
                ModuleNotFoundError(
                    "OpenTelemetry() needs missing packages: pip install opentelemetry-api opentelemetry-sdk",
                    name=error.name,
                ),
            ) from None
        if skip is not None:
            check_arguments(skip, "request", sync="skip")
        self._skip = skip
        self._context, self._trace, self._propagate = context, trace, propagate
        self._key = context.create_key("antiphon")
        self._tracer = trace.get_tracer("antiphon", tracer_provider=tracer_provider)
        self._duration = metrics.get_meter("antiphon", meter_provider=meter_provider).create_histogram(
            "http.server.request.duration",
            unit="s",
            description="Duration of HTTP server requests.",
            explicit_bucket_boundaries_advisory=SECONDS,
        )

    def install(self, app: Servable) -> None:
        """Observe an application. Raises TypeError if it is a blueprint."""
        if not isinstance(app, Servable):
            raise explained(
                "for-whole-app",
                "tracing belongs to the application, not a blueprint: write app.use(OpenTelemetry())",
                TypeError,
            )
        app.observe(self)

    def begin(self, exchange: Exchange) -> None:
        """Start the span of a request and make it the current one."""
        request = exchange.request
        if self._skip is not None and self._skip(request):
            return
        head = request.head
        sent = _fields(head, self._propagate.get_global_textmap().fields)
        parent = self._propagate.extract(sent, self._context.get_current())
        kind = self._trace.SpanKind.SERVER
        attributes = _method(exchange.method) | _asked(head) | {"url.path": exchange.path}
        span = self._tracer.start_span(_verb(exchange.method), parent, kind, attributes)
        context = self._context.set_value(self._key, span, self._trace.set_span_in_context(span, parent))
        request[_traced] = _Traced(span, context, self._context.attach(context), head)

    def sent(self, exchange: Exchange) -> None:
        """Complete and end the span of a request and record its duration."""
        traced = _of(exchange.request)
        if traced is None:
            return
        span, context, _, head = traced
        outcome = _outcome(exchange)
        if span.is_recording():
            span.update_name(f"{_verb(exchange.method)} {exchange.route}".rstrip())
            span.set_attributes(outcome | _client(exchange.request))
            if exchange.request.head is not head:  # trusted proxies have added information
                span.set_attributes(_asked(exchange.request.head))
            if "error.type" in outcome:
                span.set_status(self._trace.StatusCode.ERROR)
                if exchange.error is not None:
                    span.record_exception(exchange.error)
        span.end()
        labels = outcome | {
            "http.request.method": exchange.method if exchange.method in METHODS else "_OTHER",
            "url.scheme": exchange.request.scheme,
            "network.protocol.version": exchange.request.http_version,
        }
        self._duration.record(exchange.seconds, labels, context)

    def end(self, exchange: Exchange) -> None:
        """Restore the previous span as the current one, unless the whole context is dropped."""
        traced = _of(exchange.request)
        if traced is None:
            return
        exchange.request[_traced] = None
        if self._context.get_value(self._key) is traced.span:
            self._context.detach(traced.token)


def _of(request: Request) -> _Traced | None:
    return request[_traced] if _traced in request else None  # noqa: SIM401 - a request is no dict


def _fields(head: Head, names: set[str]) -> dict[str, str]:
    """Return the header fields that continue a trace."""
    return {name: value for name in names if (value := head.field(name.lower())) is not None}


def _verb(method: str) -> str:
    return method if method in METHODS else "HTTP"


def _method(method: str) -> dict[str, Any]:
    if method in METHODS:
        return {"http.request.method": method}
    return {"http.request.method": "_OTHER", "http.request.method_original": method[:100]}


def _asked(head: Head) -> dict[str, Any]:
    """Return a head's attributes. They are not read from the request, which would cache values that proxies may still
    change.
    """
    attributes: dict[str, Any] = {"url.scheme": head.scheme, "network.protocol.version": head.http_version}
    request = Request(head)
    if request.host:
        attributes["server.address"] = request.host
        attributes["server.port"] = request.port
    if agent := head.field("user-agent"):
        attributes["user_agent.original"] = agent
    return attributes


def _client(request: Request) -> dict[str, Any]:
    return {} if request.ip is None else {"client.address": request.ip}


def _outcome(exchange: Exchange) -> dict[str, Any]:
    """Return the attributes of the response. A client that disconnects is not an error."""
    outcome: dict[str, Any] = {"http.response.status_code": exchange.status}
    if exchange.route:
        outcome["http.route"] = exchange.route
    handled = None if exchange.response is None else exchange.response.error
    is_broken = exchange.error is not handled and not exchange.is_disconnected
    if exchange.status >= 500 or is_broken:
        outcome["error.type"] = str(exchange.status) if exchange.error is None else _name(type(exchange.error))
    return outcome


def _name(kind: type[BaseException]) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"

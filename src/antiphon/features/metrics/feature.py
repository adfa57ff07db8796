"""Metrics of all of a server's processes, on a page for Prometheus, as a feature.

app.use(Metrics("/metrics", before=for_the_office))

Names follow OpenTelemetry's semantic conventions for HTTP, as Prometheus writes them.
"""

import os
from collections.abc import Iterable
from functools import partial

from antiphon import App, Blueprint, Exchange, Observer, Request, Response, explained
from antiphon.embedding import check_numbers, errors_name_it, mounted_together
from antiphon.features.metrics.figures import Defined, Definition, Figures, Group, check_bounds, check_metric
from antiphon.features.metrics.folder import Memory
from antiphon.features.metrics.instruments import (
    BYTES,
    NANO,
    OPEN_METRICS,
    PROMETHEUS,
    SECONDS,
    Counter,
    Family,
    Gauge,
    Histogram,
    PoolWatch,
    Series,
    add_to_cell,
    count_exchange,
    exposition,
    sum_up,
)
from antiphon.types import BeforeHook

METHODS = ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE")
OTHER = "_OTHER"
"""The label for all other methods, as in OpenTelemetry."""

_OFFERS = {
    "text/plain;version=0.0.4": PROMETHEUS,
    "application/openmetrics-text;version=1.0.0": OPEN_METRICS,
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8": OPEN_METRICS,
    "application/openmetrics-text;version=1.0.0;escaping=underscores": OPEN_METRICS,
}
_EXCHANGES = Group(
    ("http_request_method", "http_route", "http_response_status_code"),
    (
        Definition(
            "http_server_request_duration_seconds",
            "histogram",
            "Duration of HTTP server requests, to the end of their streams.",
            "seconds",
            SECONDS,
            NANO,
        ),
        Definition(
            "http_server_request_body_size_bytes",
            "histogram",
            "Size of HTTP server request bodies, as received.",
            "bytes",
            BYTES,
        ),
        Definition(
            "http_server_response_body_size_bytes",
            "histogram",
            "Size of HTTP server response bodies, as sent.",
            "bytes",
            BYTES,
        ),
    ),
)
_ACTIVE = Group(
    ("http_request_method",),
    (Definition("http_server_active_requests", "gauge", "Number of active HTTP server requests."),),
)
_OPEN = Group(("kind",), (Definition("antiphon_open_streams", "gauge", "Open streams and WebSockets."),))
_PROCESSES = Definition("antiphon_processes", "gauge", "Living processes of the server, which share these metrics.")


@errors_name_it
class Metrics(Observer):
    """A feature that counts requests by method, route and status, and shows the metrics of all processes on a page.

        app.use(Metrics())

    The page at ``path`` is in OpenMetrics or the Prometheus format, depending on what the client accepts. If ``path``
    is None, there is no page. The page is open to everyone who can reach it, unless ``before`` (one or more functions,
    as for a route) refuses the request. Requests for the page are also counted. Any of a server's processes can show
    the metrics of all of them, because each writes to a separate file in ``folder``.
    """

    def __init__(
        self,
        path: str | None = "/metrics",
        *,
        before: BeforeHook | Iterable[BeforeHook] = (),
        folder: str | os.PathLike[str] | None = None,
        max_series: int = 1000,
        size: int = 2**20,
    ) -> None:
        """``folder`` is by default the folder named by the ANTIPHON_METRICS_FOLDER environment variable, or else a
        temporary folder for the processes started by `antiphon run`, Gunicorn, Uvicorn, Granian or Hypercorn. The
        counts of processes that have died are kept.

        A metric has up to ``max_series`` sets of labels, and each process has up to ``size`` bytes of figures. Sets
        above these limits are counted together, in a series with the label ``otel_metric_overflow="true"``.

        Raises ValueError for a ``size`` below 65,536 or ``max_series`` below 1.
        """
        check_numbers(1, max_series=max_series)
        check_numbers(2**16, size=size)
        self._path = path
        self._before = before
        self._figures = figures = Figures(folder, max_series, size // 8 * 8)
        self._exchanges = figures.define(_EXCHANGES)
        self._active = figures.define(_ACTIVE)
        self._opened = figures.define(_OPEN)
        self._streaming: dict[Exchange, str] = {}
        self.counts_cache_status = False
        """True if a cache writes Cache-Status, whose hits and misses are then counted."""
        self._broken = self.counter(
            "antiphon_http_broken_responses", "Responses that were cut short, by who cut them short.", ["by"]
        )
        self._cached = self.counter(
            "antiphon_cache_responses", "Responses of the shared cache, by outcome.", ["outcome"]
        )
        self._waits = self.histogram(
            "antiphon_request_wait_seconds",
            "Time that requests waited for their turn in an overloaded worker, by outcome.",
            ["outcome"],
            unit="seconds",
        )
        self._watch = PoolWatch(
            self.gauge("antiphon_threads_busy", "Threads that are running a handler or reading a file.", ["pool"]),
            self.gauge("antiphon_calls_waiting", "Calls that are waiting for a thread.", ["pool"]),
            self.gauge("antiphon_draining", "Processes that are draining and accept no new requests."),
            self.counter("antiphon_drains", "Processes that were told to stop and have drained."),
        )

    def counter(self, name: str, help: str, labels: Iterable[str] = (), *, unit: str = "") -> Counter:  # noqa: A002
        """Return a new counter of whole numbers, which the page shows as ``name_total``.

        Raises ValueError for a name that is malformed, or taken by a metric that differs. A name must end with its
        ``unit``, such as bytes.
        """
        return Counter(self._figures, self._define(Definition(name, "counter", help, unit), labels))

    def gauge(self, name: str, help: str, labels: Iterable[str] = (), *, unit: str = "") -> Gauge:  # noqa: A002
        """Return a new gauge. The page shows its sum over living processes. Raises the same errors as ``counter``."""
        return Gauge(self._figures, self._define(Definition(name, "gauge", help, unit, scale=0), labels))

    def histogram(
        self,
        name: str,
        help: str,  # noqa: A002
        labels: Iterable[str] = (),
        *,
        bounds: Iterable[float] = SECONDS,
        unit: str = "",
    ) -> Histogram:
        """Return a new histogram whose buckets have these upper bounds; the default bounds are for seconds.

        Raises the same errors as ``counter``, and ValueError for bounds that don't increase.
        """
        metric = Definition(name, "histogram", help, unit, check_bounds(bounds), 0)
        return Histogram(self._figures, self._define(metric, labels))

    def _define(self, metric: Definition, labels: Iterable[str]) -> Defined:
        return self._figures.define(Group(check_metric(metric.name, labels, metric.unit), (metric,)))

    def install(self, app: App) -> None:
        """Observe an application and register the page. Raises TypeError if it is a blueprint."""
        if isinstance(app, Blueprint):
            raise explained(
                "for-whole-app",
                "metrics belong to the application, not a blueprint: write app.use(Metrics())",
                TypeError,
            )
        app.observe(self)
        self._ask_features(app)  # now, since their own start may already count
        app.on_startup(partial(self._start, app))
        app.on_shutdown(self._watch.stop)
        if self._path is not None:
            app.get(self._path, name="metrics", before=self._before)(self._show)

    def _start(self, app: App) -> None:
        self._ask_features(app)
        self._figures.open()
        for by in ("client", "error"):
            self._broken.add(0, by=by)
        for outcome in ("hit", "miss"):
            self._cached.add(0, outcome=outcome)
        for kind in ("stream", "websocket"):
            self._figures.place(self._opened, (kind,))
        self._watch.start()

    def _ask_features(self, app: App) -> None:
        """Let features, also of mounted applications, define and set what they count, by their ``__metrics__``."""
        for each in [feature for one in mounted_together(app) for feature in one.features]:
            if (define := getattr(each, "__metrics__", None)) is not None:
                define(self)

    def _show(self, request: Request) -> Response:
        kind = _OFFERS[request.accept.best(_OFFERS, "text/plain;version=0.0.4")]
        headers = {"content-type": kind, "cache-control": "no-store", "vary": "accept"}
        return Response(self.text(open_metrics=kind is OPEN_METRICS), headers=headers)

    def text(self, *, open_metrics: bool = False) -> str:
        """Return the metrics of all processes, in OpenMetrics or the Prometheus format. This reads files."""
        families, living = sum_up(self._figures)
        return exposition([*families, Family(_PROCESSES, (), [Series((), [living])])], is_open=open_metrics)

    # Observing

    def begin(self, exchange: Exchange) -> None:
        """Count a new request."""
        memory = self._figures.memory or self._figures.open()
        try:
            active = memory.found[exchange.method]
        except KeyError:
            active = self._find_active(memory, exchange.method)
        add_to_cell(memory.cells, active, 1)

    def _find_active(self, memory: Memory, method: str) -> int:
        if method not in METHODS:
            return self._figures.place(self._active, (OTHER,))
        memory.found[method] = at = self._figures.place(self._active, (method,))
        return at

    def stream(self, exchange: Exchange) -> None:
        """Count a new stream or WebSocket."""
        response = exchange.response
        kind = "websocket" if response is not None and response.status == 101 else "stream"
        self._streaming[exchange] = kind
        add_to_cell(self._figures.open().cells, self._figures.place(self._opened, (kind,)), 1)

    def sent(self, exchange: Exchange) -> None:
        """Count an exchange that has ended."""
        memory = self._figures.memory or self._figures.open()
        key, seconds, received, sent, is_broken = exchange.measures
        try:
            active, at = memory.found[key]
        except KeyError:
            active, at = self._find(memory, *key)
        count_exchange(memory.cells, active, at, seconds, received, sent)
        if is_broken or self._streaming or self.counts_cache_status:
            self._count_more(memory, exchange)

    def waited(self, outcome: str, seconds: float) -> None:
        """Count a wait in an overloaded worker."""
        self._waits.observe(seconds, outcome=outcome)

    def _find(self, memory: Memory, method: str, route: str, status: int) -> tuple[int, int]:
        """Return where a method's active requests and its exchanges are counted. Cache this while there are few."""
        known = method if method in METHODS else OTHER
        active = self._find_active(memory, method)
        values = (known, route[:200], str(status))
        at = self._figures.place(self._exchanges, values)
        found = (active, at)
        if known == method and at != self._exchanges.overflow:
            memory.found[method, route, status] = found
        return found

    def _count_more(self, memory: Memory, exchange: Exchange) -> None:
        if (kind := self._streaming.pop(exchange, None)) is not None:
            add_to_cell(memory.cells, self._figures.place(self._opened, (kind,)), -1)
        if exchange.is_disconnected:
            self._broken.add(by="client")
        elif exchange.is_broken:
            self._broken.add(by="error")
        if self.counts_cache_status:
            for name, value in exchange.fields:
                if name == "cache-status":
                    self._cached.add(outcome="hit" if ";hit" in value.replace(" ", "") else "miss")

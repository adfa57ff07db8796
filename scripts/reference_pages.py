"""The pages of docs/reference that are written from docstrings, and the public names that each describes."""

from typing import NamedTuple


class Page(NamedTuple):
    """A page on several names, below a title."""

    title: str
    place: str
    """The module that the names are imported from."""
    names: str
    """The names, separated by spaces, in their order on the page."""
    see_also: str
    """A sentence with links to pages that tell how to use them."""


CLASSES = {
    "app.md": ("App", "See also [routing](routing.md), [return values](return-values.md) and [limits](limits.md)."),
    "blueprint.md": ("Blueprint", "See also [Project structure](../how-to/structure-an-app.md)."),
    "request.md": (
        "Request",
        "See also [bodies](bodies.md), [headers](headers.md) and [typed values](typed-values.md).",
    ),
    "response.md": ("Response", "See also [return values](return-values.md) and [headers](headers.md)."),
}
"""The pages on one class of `antiphon` each, with a sentence that has links."""

TOPICS = {
    "handlers.md": Page(
        "Dependencies, sessions, redirects and the current request", "antiphon",
        "Dependency Session Redirect current_request",
        "See also [Dependencies](../how-to/add-to-requests.md) and [return values](return-values.md).",
    ),
    "websockets.md": Page(
        "WebSockets", "antiphon", "WebSocket BlockingWebSocket WebSocketClosed",
        "See also [blueprints](blueprint.md), which register their handlers, and [limits](http/limits.md).",
    ),
    "uploads.md": Page(
        "Uploads", "antiphon", "Upload FormPart",
        "See also [File uploads](../how-to/uploads.md) and [bodies](bodies.md).",
    ),
    "fields.md": Page(
        "Typed values without a request, and their fields", "antiphon", "check_as JSON decimal_meta",
        "See also [Typed values](typed-values.md).",
    ),
    "settings.md": Page(
        "Settings", "antiphon", "env is_debug",
        "See also [Configuration and environment variables](../how-to/settings.md) and"
        " [Debugging](../how-to/debug.md).",
    ),
    "signing.md": Page(
        "Signed values", "antiphon", "Signer BadSignature SignatureExpired",
        "See also [Signed links and values](../how-to/signed-links.md).",
    ),
    "applications.md": Page(
        "Servers, proxies and other applications", "antiphon",
        "to_app view Views from_wsgi from_asgi get_response aget_response TrustedProxies Observer Exchange",
        "See also [Servers, workers and threads](../how-to/serve.md),"
        " [Behind a reverse proxy](../how-to/behind-a-proxy.md) and"
        " [Requests and responses without a server](../how-to/messages.md).",
    ),
    "http/headers.md": Page(
        "Header fields", "antiphon.http", "Headers MutableHeaders",
        "See also [headers and their types](../headers.md).",
    ),
    "http/multidicts.md": Page(
        "Multidicts", "antiphon.http", "MultiDict",
        "See also [bodies](../bodies.md).",
    ),
    "http/negotiation.md": Page(
        "Media types and negotiation", "antiphon.http",
        "MediaType Accept AcceptLanguage AcceptEncoding",
        "See also [headers](../headers.md).",
    ),
    "http/caching.md": Page(
        "Caching and conditions", "antiphon.http",
        "CacheControl ETag generate_etag IfMatch IfNoneMatch IfRange NotModified parse_http_date format_http_date",
        "See also [HTTP caching](../../how-to/cache.md).",
    ),
    "http/content.md": Page(
        "Content, ranges and events", "antiphon.http",
        "ContentDisposition Range ByteRange ContentRange Event parse_events",
        "See also [File responses and downloads](../../how-to/send-files.md) and"
        " [Streaming and server-sent events](../../how-to/streams.md).",
    ),
    "http/cookies.md": Page(
        "Cookies", "antiphon.http", "SetCookie parse_cookies",
        "See also [Cookies and HTTP authentication](../../how-to/cookies.md).",
    ),
    "http/authentication.md": Page(
        "Authentication", "antiphon.http", "Authorization Challenge parse_challenges",
        "See also [Authentication with tokens and API keys](../../how-to/users.md).",
    ),
    "http/urls.md": Page(
        "URLs, links and redirects", "antiphon.http",
        "URL parse_query format_query Link parse_links format_links",
        "See also [Error handling and redirects](../../how-to/errors.md).",
    ),
    "http/clients.md": Page(
        "Clients, proxies and traces", "antiphon.http",
        "Address UserAgent Priority TraceParent ServerTiming",
        "See also [Behind a reverse proxy](../../how-to/behind-a-proxy.md) and"
        " [Tracing with OpenTelemetry](../../how-to/trace.md).",
    ),
    "http/structured-fields.md": Page(
        "Structured fields", "antiphon.http",
        "Item InnerList Token DisplayString parse_structured_list parse_structured_dictionary format_structured_list"
        " format_structured_dictionary",
        "See also [structured fields in headers](../headers.md#structured-fields).",
    ),
    "http/errors.md": Page(
        "Errors", "antiphon.http",
        "HTTPError abort FieldProblem FieldProblemCode BadRequest Unauthorized Forbidden NotFound "
        "MethodNotAllowed Conflict Gone PreconditionFailed ContentTooLarge UnsupportedMediaType "
        "RangeNotSatisfiable MisdirectedRequest UnprocessableContent FieldError TooManyRequests "
        "ClientDisconnected InternalServerError NotImplementedByServer BadGateway ServiceUnavailable "
        "InsufficientStorage",
        "See also [Error handling and redirects](../../how-to/errors.md) and [typed values](../typed-values.md).",
    ),
    "http/limits.md": Page(
        "Limits", "antiphon", "Limits", "See also [what each limit does](../limits.md).",
    ),
    "http/messages.md": Page(
        "Messages of HTTP/1.1", "antiphon.http1", "parse_request parse_response format_request format_response",
        "See also [how to store messages](../../how-to/messages.md#store-messages).",
    ),
    "features/sessions.md": Page(
        "Sessions and stores", "antiphon.features",
        "Sessions Store StoreEntry OwnedEntry StoreCount StoreUnavailable MemoryStore SQLiteStore PostgresStore "
        "ValkeyStore CookieStore bound_required",
        "See also [Sessions](../../how-to/sessions.md) and [stores](../stores.md).",
    ),
    "features/own-stores.md": Page(
        "Stores of your own", "antiphon.features.stores",
        "encode decode encode_value decode_value StoredKind owned_entries hash_key check_ttl unavailable "
        "ChannelLog Entry Position",
        "See also [your own store](../stores.md#your-own-store).",
    ),
    "features/tests-of-stores.md": Page(
        "Tests of stores", "antiphon.testing.stores", "StoreTests ClockedStore TimedStore",
        "See also [your own store](../stores.md#your-own-store).",
    ),
    "features/channels.md": Page(
        "Channels", "antiphon.features", "Channel MissedMessages",
        "See also [Channels: events to many clients](../../how-to/events-to-many.md).",
    ),
    "features/runs.md": Page(
        "Runs", "antiphon.features",
        "Runs RunEnded ValuesMissed current_run ui_message_stream",
        "See also [Agents and other runs](../../how-to/runs.md).",
    ),
    "features/kept-requests.md": Page(
        "Kept requests", "antiphon.features", "Recorder Personal Secret",
        "See also [Kept requests: every 500 becomes a test](../../how-to/kept-requests.md).",
    ),
    "features/users.md": Page(
        "Users and logins", "antiphon.features",
        "Users UserSource Basic Bearer APIKey SessionLogin DjangoLogin PasskeyLogin Passkey login logout "
        "login_required RefreshTokens scopes_required is_same_secret",
        "See also [Login and passwords](../../how-to/login.md) and"
        " [Authentication with tokens and API keys](../../how-to/users.md).",
    ),
    "features/flash-and-csrf.md": Page(
        "Flash messages and CSRF tokens", "antiphon.features",
        "Flash FlashMessage CSRFTokens BadCSRFToken csrf_token csrf_input",
        "See also [Flash messages](../../how-to/flash.md) and [CSRF tokens](../../how-to/csrf.md).",
    ),
    "features/templates.md": Page(
        "Templates and pages", "antiphon.features", "Templates Page Slot FileRoutes RouteFile route_options",
        "See also [Templates](../../how-to/templates.md) and [Pages from files](../../how-to/pages.md).",
    ),
    "features/forms.md": Page(
        "Forms", "antiphon.features", "Form Field BoundField",
        "See also [Forms and form validation](../../how-to/forms.md).",
    ),
    "features/tables.md": Page(
        "Tables", "antiphon.features", "Table TableQuery", "See also [Tables](../../how-to/tables.md).",
    ),
    "features/blocks.md": Page(
        "Blocks", "antiphon.features",
        "Block BlockScript",
        "See also [Partial pages with blocks or htmx](../../how-to/blocks.md).",
    ),
    "features/live.md": Page(
        "Live blocks", "antiphon.features", "Live live_reads live_writes",
        "See also [Live blocks: pages that update themselves](../../how-to/live.md).",
    ),
    "features/languages.md": Page(
        "Languages", "antiphon.features",
        "Languages lazy_gettext format_date format_time format_datetime format_timedelta format_number format_percent"
        " format_currency",
        "See also [Languages and translations](../../how-to/languages.md).",
    ),
    "features/rates-and-writes.md": Page(
        "Rate limits, idempotent and durable requests", "antiphon.features", "RateLimit IdempotentWrites Durable",
        "See also [Rate limits](../../how-to/rate-limits.md) and"
        " [Idempotent requests](../../how-to/idempotency.md) and [Jobs](../../how-to/jobs.md).",
    ),
    "features/signatures.md": Page(
        "Signed requests and webhooks", "antiphon.features",
        "Signatures SignatureRefused RequestSignature SignatureKey sign SignedResponses StandardWebhook"
        " Webhook WebhookSignature WebhookRefused",
        "See also [Signed requests](../../how-to/signed-requests.md) and [Webhooks](../../how-to/webhooks.md).",
    ),
    "features/cache.md": Page(
        "Shared cache", "antiphon.features", "Cache",
        "See also [Cache responses on the server](../../how-to/shared-cache.md).",
    ),
    "features/security.md": Page(
        "Security headers and CORS", "antiphon.features",
        "SecurityHeaders ContentSecurityPolicy csp_nonce PermissionsPolicy StrictTransportSecurity CORS",
        "See also [headers for browsers](../../how-to/security-headers.md).",
    ),
    "features/compression.md": Page(
        "Compression and resumable uploads", "antiphon.features",
        "Compression ResumableUploads",
        "See also [Compression: gzip, Brotli, Zstandard](../../how-to/compress.md),"
        " [Resumable uploads](../../how-to/resumable-uploads.md) and [File uploads](../../how-to/uploads.md).",
    ),
    "features/openapi.md": Page(
        "OpenAPI", "antiphon.features", "OpenAPI Gives",
        "See also [OpenAPI](../../how-to/openapi.md).",
    ),
    "features/tools.md": Page(
        "Tools for language models", "antiphon.features", "Tools Tool ToolCall",
        "See also [MCP: your API as an agent's tools](../../how-to/mcp.md).",
    ),
    "features/oauth.md": Page(
        "Access tokens", "antiphon.features",
        "ProtectedResource AccessToken Introspection",
        "See also [authorization for tools](../../how-to/mcp-logins.md).",
    ),
    "features/observing.md": Page(
        "Health, metrics, traces and the access log", "antiphon.features",
        "Health HealthCheck Metrics OpenTelemetry AccessLog",
        "See also [Health checks](../../how-to/health.md),"
        " [Metrics for Prometheus and Grafana](../../how-to/metrics.md),"
        " [Tracing with OpenTelemetry](../../how-to/trace.md) and [Logging and the access log](../../how-to/logs.md).",
    ),
    "embedding/features.md": Page(
        "Parts of features", "antiphon.embedding",
        "Added Advice KeyHandling PlannedRoute RouteKeys accelerated check_arguments check_no_decorator "
        "check_numbers checked_by describe errors_name_it folders_beside import_on_use innermost is_async "
        "lazy missing_package mounted_together ready require_names seconds_of signature_of DatabaseConnection "
        "FeatureStore KeptResponse TimedSigner DescribedApp TypeDescription decode_json "
        "encode_json json_as",
        "See also [Parts of Antiphon's own features](../parts-of-features.md).",
    ),
    "embedding/exchanges.md": Page(
        "Requests in features", "antiphon.embedding",
        "OfRequest RequestState arrivals set_current_request Reads WatchedHead unwatched keep_private "
        "SAFE_METHODS check_cross_site parse_origin is_this_machine MadeRequest Head RequestHead DerivedHead",
        "See also [Parts of Antiphon's own features](../parts-of-features.md).",
    ),
    "embedding/bodies.md": Page(
        "Bodies and fields in features", "antiphon.embedding",
        "response_of to_response SharedFields FileBody is_for_any_thread made_chunks watched endable as_bytes "
        "check_template_data Content NotLoadedError Spool Window safe_filename MultipartParser FormBounds "
        "DigestError http_error over_limit parse_or_none split_list is_token quote_path quoted_paths",
        "See also [Parts of Antiphon's own features](../parts-of-features.md).",
    ),
    "embedding/steps.md": Page(
        "The process, its threads and loops", "antiphon.embedding",
        "Crossing is_on_loop refuse_on_loop contained run_async run_on serving_loop background_loop DRAINING "
        "GRACE_OVER call_at_exit call_after_fork",
        "See also [Parts of Antiphon's own features](../parts-of-features.md).",
    ),
    "embedding/hosts.md": Page(
        "Hosts", "antiphon.embedding",
        "Host EnvironHost ReceivedInput Servable LoopServer ThreadServer ForeignSockets ON_LOOP ON_THREAD "
        "BEGIN_ON_THREAD NotBegun RequestLocal absent call_in_own_context make_environ started_response "
        "served_names check_handshake",
        "See also [Write a dialect](../../how-to/write-a-dialect.md).",
    ),
    "embedding/frameworks.md": Page(
        "Other frameworks", "antiphon.embedding",
        "Framework FrameworkResponse ViewRoute FrameworkRequest environ_request scope_request until_left",
        "See also [Write a library for every framework](../../how-to/for-library-authors.md#add-a-framework).",
    ),
    "extending.md": Page(
        "Routes and errors of a feature", "antiphon", "RouteKey explained",
        "See also [Extensions: write a feature](../how-to/write-a-feature.md).",
    ),
    "commands.md": Page(
        "Names for commands", "antiphon.cli", "load_app load_feature",
        "See also [write a feature](../how-to/publish-a-feature.md#add-a-command) and [the command](command.md).",
    ),
    "logs.md": Page(
        "Formats of logs", "antiphon.logs", "TextFormatter JSONFormatter RequestIDFilter",
        "See also [Logging and the access log](../how-to/logs.md).",
    ),
    "testing.md": Page(
        "Testing", "antiphon.testing",
        "Client AsyncClient ClientSession ClientResponse ClientWebSocket CookieJar ContractError BrokenResponse"
        " HandshakeRefused LifespanError",
        "See also [Testing](../how-to/test-an-app.md).",
    ),
    "pairs.md": Page(
        "Pairs", "antiphon.testing.pairs", "Feature Option Route Sign", "See also [Pairs](../how-to/pairs.md).",
    ),
    "races.md": Page(
        "Races", "antiphon.testing.races", "races request World Sent RaceFound",
        "See also [Races](../how-to/races.md).",
    ),
}  # fmt: skip
"""The pages on several names each."""

GIVEN = {
    "antiphon.types.Counter", "antiphon.types.Gauge", "antiphon.types.Histogram", "antiphon.Exchange",
    "antiphon.FormPart", "antiphon.Upload", "antiphon.WebSocket", "antiphon.features.BoundField", "antiphon.types.Run",
    "antiphon.features.RunEnded", "antiphon.features.ValuesMissed", "antiphon.features.RouteFile",
    "antiphon.testing.ClientResponse", "antiphon.testing.ClientSession", "antiphon.testing.ClientWebSocket",
}  # fmt: skip
"""Classes whose objects an application is given: it makes none, so their constructors are not shown."""

RESULTS = {
    "AsyncClientWebSocket": "antiphon.testing.websockets",
    "AsyncStreamedResponse": "antiphon.testing.call",
    "BodyStream": "antiphon.body.stream",
    "CalledTool": "antiphon.features.tools.results",
    "ChannelListener": "antiphon.features.channels.channel",
    "ChannelPresence": "antiphon.features.channels.channel",
    "ClientTools": "antiphon.testing.tools",
    "FormError": "antiphon.features.forms.messages",
    "FormFields": "antiphon.features.forms.bound_field",
    "FormParts": "antiphon.body.form_parts",
    "FrameworkValues": "antiphon.request.interfaces",
    "Globals": "antiphon.request.request",
    "LazyText": "antiphon.features.languages.texts",
    "RecordGroup": "antiphon.features.recorder.shelf",
    "RefreshedToken": "antiphon.features.refresh_tokens",
    "RouteMeta": "antiphon.request.route",
    "RowValues": "antiphon.serialization.rows",
    "RunCall": "antiphon.features.runs.runs",
    "RunQuestion": "antiphon.features.runs.questions",
    "SessionAccess": "antiphon.features.sessions",
    "StreamedResponse": "antiphon.testing.call",
    "ToolResult": "antiphon.testing.tools",
    "WebSocketValues": "antiphon.websockets.websocket",
}
"""Classes without a public name, whose objects an application is given, and their modules."""

TYPES = """Types that appear in the signatures of other names, for annotations in your own code.

```python
from antiphon import Request
from antiphon.types import Duration, Handler, Lifetime


def hold(handler: Handler, at_most: Duration) -> Handler: ...


def is_wanted(request: Request) -> bool:
    lifetime: Lifetime = request.lifetime
    return not lifetime.is_client_gone
```"""

INTRODUCTIONS = {
    "": "Objects that an application is given, by attributes, methods and functions. Their classes have no public"
    " names, since type checkers know them from there.",
    "antiphon": "Names for applications, and for libraries that read requests or make responses.",
    "antiphon.http": "HTTP values: headers, cookies, URLs, errors. They don't need a request or an application.",
    "antiphon.features": "Features that an application uses: `app.use(Sessions(store))`.",
    "antiphon.testing": "A test client, which doesn't need a server.",
    "antiphon.testing.pairs": "Rows of features, which are tried beside all others.",
    "antiphon.testing.races": "Requests beside each other, in an order that a number brings back.",
    "antiphon.testing.stores": "The tests that a store of your own must pass.",
    "antiphon.features.stores": "The parts that a store of your own is built from.",
    "antiphon.logs": "Formatters and a filter for the handlers of `logging`.",
    "antiphon.http1": "Functions that convert requests and responses to bytes and back.",
    "antiphon.cli": "Names for [commands of other packages](../how-to/publish-a-feature.md#add-a-command).",
    "antiphon.types": TYPES,
    "antiphon.embedding": "The parts that [dialects](../how-to/write-a-dialect.md) and"
    " [features](parts-of-features.md) are built from. It is provisional, and"
    " applications don't need it.",
    "antiphon.dialects": "`antiphon.dialects.<name>` has the names of the library that the [dialect](dialects.md)"
    " replaces.",
}
"""A sentence on each place that names are imported from."""

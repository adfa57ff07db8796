"""Features for `app.use`, each independent of the others."""

from antiphon.lazy import import_on_use

__all__, __getattr__, __dir__ = import_on_use(
    __name__,
    {
        "features.api_keys": "APIKey",
        "features.block_script": "BlockScript",
        "features.bound_sessions": "bound_required",
        "features.cache.feature": "Cache",
        "features.channels.channel": "Channel",
        "features.channels.message": "MissedMessages",
        "features.compression": "Compression",
        "features.cors": "CORS",
        "features.csrf": "BadCSRFToken CSRFTokens csrf_input csrf_token",
        "features.hypermedia": "HtmxHeaders HtmxRequest patch_elements patch_signals redirect_htmx",
        "features.flash": "Flash",
        "features.forms.field": "Field",
        "features.forms.form": "Form",
        "features.health": "Health HealthCheck",
        "features.idempotency.feature": "IdempotentWrites",
        "features.recorder.disguise": "Personal Secret",
        "features.recorder.feature": "Recorder",
        "features.languages.feature": "Languages",
        "features.languages.request_language": (
            "format_currency format_date format_datetime format_number format_percent format_time format_timedelta"
        ),
        "features.languages.texts": "lazy_gettext",
        "features.geoip.feature": "GeoIP",
        "features.logins": "SessionLogin login logout",
        "features.metrics.feature": "Metrics",
        "features.oauth.protected_resource": "ACCESS_TOKEN ProtectedResource",
        "features.oauth.tokens": "AccessToken Introspection",
        "features.open_telemetry": "OpenTelemetry",
        "features.openapi.feature": "OpenAPI",
        "features.file_routes": "FileRoutes RouteFile route_options",
        "features.passkeys": "Passkey PasskeyLogin",
        "features.rate_limits": "RateLimit",
        "features.refresh_tokens": "RefreshedToken RefreshTokens",
        "features.runs.formats": "ag_ui_stream ui_message_stream",
        "features.runs.production": "current_run",
        "features.runs.record": "RunEnd",
        "features.runs.run": "RunEnded ValuesMissed",
        "features.runs.runs": "Runs",
        "features.security_headers": (
            "ContentSecurityPolicy PermissionsPolicy SecurityHeaders StrictTransportSecurity csp_nonce"
        ),
        "features.sessions": "Sessions",
        "features.signatures.directory": "KeyDirectory",
        "features.signatures.feature": "SignatureRefused Signatures",
        "features.signatures.keys": "SignatureKey",
        "features.signatures.webhooks": (
            "WebhookSignature GitHubWebhook ShopifyWebhook SlackWebhook StandardWebhook StripeWebhook Webhook "
            "WebhookRefused"
        ),
        "features.signatures.signing": "SignedResponses sign",
        "features.stores.cookie": "CookieStore",
        "features.stores.memory": "MemoryStore",
        "features.stores.sqlite": "SQLiteStore",
        "app.store": "OwnedEntry Store StoreCount StoreEntry StoreUnavailable",
        "features.stores.valkey.store": "ValkeyStore",
        "features.templates.feature": "Templates",
        "features.templates.page": "Block Page",
        "app.dispatch.declared": "Gives",
        "app.route": "Tool",
        "features.tools.feature": "Tools",
        "features.upload_progress": "UploadProgress",
        "features.users": "Basic Bearer UserSource Users is_same_secret login_required scopes_required",
        "features.logs.access_log": "AccessLog",
        "request.interfaces": "FlashMessage GeoLocation RequestSignature",
        "features.forms.bound_field": "BoundField",
    },
)

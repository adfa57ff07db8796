"""Features for `app.use`, each independent of the others."""

from antiphon.lazy import import_on_use

__all__, __getattr__ = import_on_use(
    __name__,
    {
        "features.block_script": "BlockScript",
        "features.compression": "Compression",
        "features.cors": "CORS",
        "features.csrf": "BadCSRFToken CSRFTokens csrf_input csrf_token",
        "features.datastar": "patch_elements patch_signals",
        "features.flash": "Flash",
        "features.forms.bound_field": "BoundField",
        "features.forms.field": "Field",
        "features.forms.form": "Form",
        "features.forms.messages": "FormError",
        "features.health": "Health HealthCheck",
        "features.htmx": "HtmxHeaders HtmxRequest redirect_htmx",
        "features.idempotency": "IdempotentWrites",
        "features.languages.feature": "Languages",
        "features.languages.formats": "format_currency format_date format_datetime format_number format_percent"
        " format_time format_timedelta",
        "features.languages.lazy_text": "LazyText lazy",
        "features.locations.feature": "Locations",
        "features.logins": "SessionLogin login logout",
        "features.open_telemetry": "OpenTelemetry",
        "features.openapi.feature": "OpenAPI",
        "features.pages": "PageFile Pages route_options",
        "features.rate_limits": "RateLimit",
        "features.security_headers": "ContentSecurityPolicy PermissionsPolicy SecurityHeaders StrictTransportSecurity"
        " csp_nonce",
        "features.sessions": "Sessions",
        "features.stores.cookie": "CookieStore",
        "features.stores.memory": "MemoryStore",
        "features.stores.sqlite": "SQLiteStore",
        "features.stores.store": "OwnedEntry Store StoreCount StoreEntry StoreUnavailable",
        "features.stores.valkey": "ValkeyStore",
        "features.templates.feature": "Templates",
        "features.templates.page": "Block Page",
        "features.upload_progress": "UploadProgress",
        "features.users": "Basic Bearer UserSource Users is_same_secret login_required",
        "features.logs.access_log": "AccessLog",
        "request.flash": "FlashMessage FlashMessages",
        "request.location": "Location",
    },
)

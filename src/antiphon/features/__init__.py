"""Features for `app.use`, each independent of the others."""

from antiphon.lazy import import_on_use

__all__, __getattr__ = import_on_use(
    __name__,
    {
        "logs.access_log": "AccessLog",
        "features.compression": "Compression",
        "features.cors": "Cors",
        "features.csrf": "BadCSRFToken CSRFTokens csrf_input csrf_token",
        "features.flash": "Flash",
        "features.datastar": "patch_elements patch_signals",
        "features.forms.bound_field": "BoundField",
        "features.forms.field": "Field",
        "features.forms.form": "Form",
        "features.forms.messages": "FormError",
        "features.health": "Health",
        "features.htmx": "HtmxHeaders HtmxRequest redirect_htmx",
        "features.logins": "SessionLogin login logout",
        "features.idempotency": "IdempotentWrites",
        "features.open_telemetry": "OpenTelemetry",
        "features.rate_limits": "RateLimit",
        "features.pages": "Pages route_options",
        "features.security_headers": "ContentSecurityPolicy PermissionsPolicy SecurityHeaders StrictTransportSecurity",
        "features.sessions": "Sessions",
        "features.stores.cookie": "CookieStore",
        "features.stores.memory": "MemoryStore",
        "features.stores.sqlite": "SQLiteStore",
        "features.stores.store": "OwnedEntry Store StoreCount StoreEntry StoreUnavailable",
        "features.stores.valkey": "ValkeyStore",
        "features.templates.feature": "Templates",
        "features.templates.page": "Block Page",
        "features.upload_progress": "UploadProgress",
        "request.flash": "FlashMessage FlashMessages",
        "features.users": "Basic Bearer UserSource Users is_same_secret login_required",
    },
)

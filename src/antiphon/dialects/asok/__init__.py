"""The dialect of Asok 0.8: Asok's names and behaviour, over WSGI, ASGI and RSGI.

Names are imported on first use. Importing one of Asok's names that this dialect lacks raises an error with the reason.
"""

import sys

from antiphon.embedding import absent, import_on_use

_OF_THE_REST = {
    "models": "Model ModelError Relation Migration operations slugify",
    "tenants": (
        "TenantMiddleware current_tenant get_current_tenant register_tenant_database set_current_tenant"
        " tenant_context tenant_middleware"
    ),
    "the administration": "Admin ModelAdmin Table TableColumn",
    "components and sockets": "Component WebSocketServer",
    "work in the background": (
        "background delete_dlq_job get_dlq_count get_dlq_jobs get_queue_counts purge_dlq retry_all_dlq_jobs"
        " retry_dlq_job schedule task"
    ),
    "caches, mail and tools": (
        "AsokExtension Cache Countries JSONFormatter Mail RequestLogger api cache_page"
        " configure_security_logger get_logger internal_only"
    ),
    "traces": "Span Tracer TracingMiddleware trace tracer tracing_middleware",
}
ABSENT = {
    name: f"what docs/reference/dialects/asok.md lists, which has nothing from {part}"
    for part, names in _OF_THE_REST.items()
    for name in names.split()
}
"""What to use instead of each missing name."""

__version__ = "0.8.0"
"""The version of Asok whose names and behaviour the dialect provides."""

__all__, _import_name, _ = import_on_use(
    __name__,
    {
        "dialects.asok.app": "Asok",
        "dialects.asok.context": "current_request",
        "dialects.asok.exceptions": (
            "AbortException AsokException ForbiddenError NotFoundError RateLimitExceeded RedirectException"
            " SecurityError UnauthorizedError ValidationError abort redirect"
        ),
        "dialects.asok.forms.form": "Form",
        "dialects.asok.request_state": "RateLimit rate_limit",
        "dialects.asok.request": "Request",
        "dialects.asok.response": "Response",
        "dialects.asok.session": "Session SessionStore",
        "dialects.asok.shortcuts": (
            "authenticate back current_user flash login logout render_block render_blocks render_template"
        ),
        "dialects.asok.testing": "TestClient",
        "dialects.asok.uploads": "UploadedFile",
        "dialects.asok.validation.schema": "Field Schema",
        "dialects.asok.validation.validator": "Validator",
    },
)


__getattr__ = absent(__name__, ABSENT, _import_name)


def __dir__() -> list[str]:
    return sorted({*vars(sys.modules[__name__]), *__all__})

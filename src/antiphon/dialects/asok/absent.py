"""Names of Asok that this dialect does not offer."""

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
ABSENT = {name: part for part, names in _OF_THE_REST.items() for name in names.split()}
"""The part of Asok that each missing name belongs to."""


def reason(name: str) -> str:
    """Return the message for a name that is not offered."""
    return (
        f"the Asok dialect does not offer asok.{name}, nor anything else of {ABSENT[name]}:"
        " docs/reference/dialects/asok.md lists what it offers"
    )

"""The types that other signatures mention, for your own annotations. Programs rarely create these objects."""

from antiphon.lazy import import_on_use

__all__, __getattr__, __dir__ = import_on_use(
    __name__,
    {
        "app.blueprint": "Feature Routes",
        "app.mount": "Mount",
        "app.planning.cross_site": "TrustedOrigins",
        "app.route": "Route RouteOptions",
        "app.dispatch.hooks": "BeforeHook Handler MiddlewareFunction",
        "features.html": "Markup",
        "features.recorder.record": "Record",
        "features.languages.texts": "Texts",
        "features.openapi.document": "OpenAPIDocument",
        "http.dates": "Duration",
        "http.errors": "Text",
        "http.headers": "HeaderFields",
        "http.structured_fields": "BareItem",
        "request.caller": "Caller Identity",
        "request.interfaces": "FlashMessages Language TemplateRenderer",
        "request.lifetime": "Lifetime",
        "serialization.signing": "SecretKeys",
        "testing.requests": "RequestOptions",
        "app.dispatch.returns": "ResponseLike",
        "environment": "Environment",
        "app.channel_log": "ChannelMessage",
        "features.runs.run": "Run",
        "features.metrics.instruments": "Counter Gauge Histogram",
    },
)

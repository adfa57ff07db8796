from antiphon.app.blueprint import Routes
from antiphon.app.channel_log import ChannelMessage
from antiphon.app.dispatch.hooks import BeforeHook, Handler, MiddlewareFunction
from antiphon.app.dispatch.returns import ResponseLike
from antiphon.app.mount import Mount
from antiphon.app.planning.cross_site import TrustedOrigins
from antiphon.app.registry import Feature
from antiphon.app.route import Route, RouteOptions
from antiphon.environment import Environment
from antiphon.features.html import Markup
from antiphon.features.languages.texts import Texts
from antiphon.features.metrics.instruments import Counter, Gauge, Histogram
from antiphon.features.openapi.document import OpenAPIDocument
from antiphon.features.recorder.record import Record
from antiphon.features.runs.run import Run
from antiphon.http.dates import Duration
from antiphon.http.errors import Text
from antiphon.http.headers import HeaderFields
from antiphon.http.structured_fields import BareItem
from antiphon.request.caller import Caller, Identity
from antiphon.request.interfaces import FlashMessages, Language, TemplateRenderer
from antiphon.request.lifetime import Lifetime
from antiphon.serialization.signing import SecretKeys
from antiphon.testing.requests import RequestOptions

__all__ = [
    "BareItem", "BeforeHook", "Caller", "ChannelMessage", "Counter", "Duration", "Environment", "Feature",
    "FlashMessages", "Gauge", "Handler", "HeaderFields", "Histogram", "Identity", "Language", "Lifetime", "Markup",
    "MiddlewareFunction", "Mount", "OpenAPIDocument", "Record", "RequestOptions", "ResponseLike", "Route",
    "RouteOptions", "Routes", "Run", "SecretKeys", "TemplateRenderer", "Text", "Texts", "TrustedOrigins",
]  # fmt: skip

from antiphon.adapters.exchange import SocketUse
from antiphon.app.blueprint import Routes
from antiphon.app.channel_log import ChannelMessage
from antiphon.app.dispatch.hooks import BeforeHook, ErrorHandlerDecorator, Handler, MiddlewareFunction
from antiphon.app.dispatch.returns import ResponseLike
from antiphon.app.mount import Mount
from antiphon.app.planning.cross_site import TrustedOrigins
from antiphon.app.registry import Feature
from antiphon.app.route import Route, RouteOptions
from antiphon.app.static_files import FolderOptions
from antiphon.body.form_parts import FormParts
from antiphon.body.stream import BodyStream
from antiphon.environment import Environment
from antiphon.features.channels.channel import ChannelListener, ChannelPresence
from antiphon.features.forms.bound_field import FormFields
from antiphon.features.forms.messages import FormError
from antiphon.features.html import Markup
from antiphon.features.languages.texts import LazyText, Texts
from antiphon.features.metrics.instruments import Counter, Gauge, Histogram
from antiphon.features.openapi.document import OpenAPIDocument
from antiphon.features.recorder.record import Record
from antiphon.features.recorder.shelf import RecordGroup
from antiphon.features.runs.questions import RunQuestion
from antiphon.features.runs.run import Run
from antiphon.features.runs.runs import RunCall
from antiphon.features.sessions import SessionAccess
from antiphon.features.tools.results import CalledTool
from antiphon.http.cache_control import CacheDirectives
from antiphon.http.dates import Duration
from antiphon.http.errors import AbortOptions, ErrorOptions, ProblemOptions, Text
from antiphon.http.headers import HeaderFields
from antiphon.http.limits import LimitOptions
from antiphon.http.structured_fields import BareItem
from antiphon.request.caller import Caller, Identity
from antiphon.request.dependencies import SettableDependency, SharedValues
from antiphon.request.interfaces import FlashMessages, FrameworkValues, Language, TemplateRenderer
from antiphon.request.lifetime import Lifetime
from antiphon.request.request import Globals
from antiphon.request.route import RouteMeta
from antiphon.response.conditional import ConditionalRequest
from antiphon.serialization.rows import RowValues
from antiphon.serialization.signing import SecretKeys
from antiphon.testing.requests import ClientFiles, RequestOptions
from antiphon.testing.servers.transports import TestedApplication
from antiphon.websockets.websocket import WebSocketValues

__all__ = [
    "AbortOptions", "BareItem", "BeforeHook", "BodyStream", "CacheDirectives", "CalledTool", "Caller",
    "ChannelListener", "ChannelMessage", "ChannelPresence", "ClientFiles", "ConditionalRequest", "Counter", "Duration",
    "Environment", "ErrorHandlerDecorator", "ErrorOptions", "Feature", "FlashMessages", "FolderOptions", "FormError",
    "FormFields", "FormParts", "FrameworkValues", "Gauge", "Globals", "Handler", "HeaderFields", "Histogram",
    "Identity", "Language", "LazyText", "Lifetime", "LimitOptions", "Markup", "MiddlewareFunction", "Mount",
    "OpenAPIDocument", "ProblemOptions", "Record", "RecordGroup", "RequestOptions",
    "ResponseLike", "Route", "RouteMeta", "RouteOptions", "Routes", "RowValues", "Run", "RunCall", "RunQuestion",
    "SecretKeys", "SessionAccess", "SettableDependency", "SharedValues", "SocketUse", "TemplateRenderer",
    "TestedApplication", "Text", "Texts", "TrustedOrigins", "WebSocketValues",
]  # fmt: skip

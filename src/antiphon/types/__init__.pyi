from antiphon.adapters.asgi import ASGIApplication
from antiphon.adapters.exchange import SocketUse
from antiphon.app.blueprint import Routes
from antiphon.app.channel_log import ChannelMessage
from antiphon.app.dispatch.dependencies import SourceFunction
from antiphon.app.dispatch.hooks import (
    AfterHook,
    BeforeHook,
    ErrorHandlerDecorator,
    Handler,
    MiddlewareFunction,
    WebSocketHandler,
)
from antiphon.app.dispatch.returns import ResponseLike
from antiphon.app.mount import Mount
from antiphon.app.planning.cross_site import TrustedOrigins
from antiphon.app.registry import Feature
from antiphon.app.route import BodyPolicy, Route, RouteOptions
from antiphon.app.served_function import RequestFunction
from antiphon.app.static_files import FolderOptions
from antiphon.body.form_parts import FormParts
from antiphon.body.stream import BodyStream, Progress
from antiphon.environment.variables import Environment
from antiphon.features.channels.channel import ChannelListener, ChannelPresence
from antiphon.features.forms.bound_field import FormFields
from antiphon.features.forms.field import Choices, Widget
from antiphon.features.forms.messages import FormError
from antiphon.features.health import CheckFunction
from antiphon.features.html import Markup
from antiphon.features.languages.texts import LazyText, Texts
from antiphon.features.metrics.instruments import Counter, Gauge, Histogram
from antiphon.features.openapi.document import OpenAPIDocument
from antiphon.features.recorder.record import Record
from antiphon.features.recorder.shelf import RecordGroup
from antiphon.features.runs.questions import RunQuestion
from antiphon.features.runs.record import RunState
from antiphon.features.runs.run import Run
from antiphon.features.runs.runs import EndFunction, RunCall
from antiphon.features.sessions import SessionAccess
from antiphon.features.signatures.keys import KeyMaterial
from antiphon.features.tools.results import CalledTool
from antiphon.http.cache_control import CacheDirectives
from antiphon.http.dates import Duration
from antiphon.http.errors import AbortOptions, ErrorOptions, ProblemOptions, Text
from antiphon.http.headers import HeaderFields
from antiphon.http.limits import LimitOptions
from antiphon.http.multidict import Pairs
from antiphon.http.structured_fields import BareItem, StructuredMember
from antiphon.request.caller import Caller, Identity
from antiphon.request.dependencies import SettableDependency, SharedValues
from antiphon.request.interfaces import FlashMessages, FrameworkValues, Language, TemplateRenderer
from antiphon.request.lifetime import Lifetime, Shield
from antiphon.request.request import Globals
from antiphon.request.route import RouteMeta
from antiphon.response.conditional import ConditionalRequest
from antiphon.response.files import FileSource
from antiphon.response.made import RequestWithReferrer, TemplateString
from antiphon.response.message import BodyLike
from antiphon.serialization.rows import RowValues
from antiphon.serialization.signing import SecretKeys
from antiphon.testing.requests import ClientContent, ClientFields, ClientFiles, RequestOptions
from antiphon.testing.servers.transports import TestedApplication
from antiphon.websockets.websocket import WebSocketValues

__all__ = [
    "ASGIApplication", "AbortOptions", "AfterHook", "BareItem", "BeforeHook", "BodyLike", "BodyPolicy",
    "BodyStream", "CacheDirectives", "CalledTool", "Caller", "ChannelListener", "ChannelMessage", "ChannelPresence",
    "CheckFunction", "Choices", "ClientContent", "ClientFields", "ClientFiles", "ConditionalRequest", "Counter",
    "Duration", "EndFunction", "Environment", "ErrorHandlerDecorator", "ErrorOptions", "Feature", "FileSource",
    "FlashMessages", "FolderOptions", "FormError", "FormFields", "FormParts", "FrameworkValues", "Gauge", "Globals",
    "Handler", "HeaderFields", "Histogram", "Identity", "KeyMaterial", "Language", "LazyText", "Lifetime",
    "LimitOptions", "Markup", "MiddlewareFunction", "Mount", "OpenAPIDocument", "Pairs", "ProblemOptions",
    "Progress", "Record", "RecordGroup", "RequestFunction", "RequestOptions", "RequestWithReferrer", "ResponseLike",
    "Route", "RouteMeta", "RouteOptions", "Routes", "RowValues", "Run", "RunCall", "RunQuestion", "RunState",
    "SecretKeys", "SessionAccess", "SettableDependency", "SharedValues", "Shield", "SocketUse", "SourceFunction",
    "StructuredMember", "TemplateRenderer", "TemplateString", "TestedApplication", "Text", "Texts",
    "TrustedOrigins", "WebSocketHandler", "WebSocketValues", "Widget",
]  # fmt: skip

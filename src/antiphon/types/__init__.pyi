from antiphon.adapters.asgi import ASGIApplication
from antiphon.adapters.exchange import SocketUse
from antiphon.adapters.foreign import ForeignApplication, ForeignInterface
from antiphon.app.blueprint import Feature, Routes
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
from antiphon.app.route import BodyPolicy, Priority, Route, RouteOptions
from antiphon.app.served_function import RequestFunction
from antiphon.app.static_files import FolderOptions
from antiphon.body.form_parts import FormParts
from antiphon.body.stream import BodyStream, Progress
from antiphon.environment.variables import Environment
from antiphon.features.channels.channel import ChannelListener, ChannelPresence
from antiphon.features.channels.message import ChannelMessage
from antiphon.features.csrf import CSRFReason
from antiphon.features.forms.bound_field import FormFields
from antiphon.features.forms.field import Choices, Widget
from antiphon.features.forms.messages import FormError
from antiphon.features.health import CheckFunction
from antiphon.features.html import AttributeValue, Markup
from antiphon.features.hypermedia import PatchMode
from antiphon.features.languages.request_language import Number
from antiphon.features.languages.texts import LazyText, Texts
from antiphon.features.metrics.instruments import Counter, Gauge, Histogram
from antiphon.features.openapi.document import OpenAPIDocument
from antiphon.features.recorder.record import Record
from antiphon.features.recorder.shelf import RecordGroup
from antiphon.features.runs.record import RunState
from antiphon.features.runs.run import Run
from antiphon.features.runs.runs import RunCall, RunOwner
from antiphon.features.security_headers import PolicyDirectives, PolicyWords
from antiphon.features.sessions import SessionAccess
from antiphon.features.signatures.components import StructuredKind
from antiphon.features.signatures.keys import KeyMaterial
from antiphon.features.templates.page import BlockNames
from antiphon.http.cache_control import CacheDirectives
from antiphon.http.cookies import SameSite
from antiphon.http.dates import Duration
from antiphon.http.errors import AbortOptions, ErrorOptions, ProblemOptions, Text
from antiphon.http.headers import HeaderFields
from antiphon.http.limits import LimitOptions
from antiphon.http.multidict import Pairs
from antiphon.http.ranges import RangeSpec
from antiphon.http.structured_fields import BareItem, StructuredMember
from antiphon.request.caller import Caller, Identity
from antiphon.request.dependencies import SettableDependency, SharedValues
from antiphon.request.interfaces import FlashMessages, FrameworkValues, Language, TemplateRenderer
from antiphon.request.lifetime import EndReason, Lifetime, Shield
from antiphon.request.request import Globals
from antiphon.request.route import RouteMeta
from antiphon.response.conditional import ConditionalRequest
from antiphon.response.events import OnDrain
from antiphon.response.files import FileSource
from antiphon.response.message import Body, BodyLike
from antiphon.response.response import RequestWithReferrer
from antiphon.response.templates import TemplateString
from antiphon.serialization.signing import SecretKeys
from antiphon.testing.requests import ClientContent, ClientFields, ClientFiles, HTTPVersion, RequestOptions
from antiphon.testing.servers.exchange import ClientAddress
from antiphon.testing.servers.transports import TestedApplication
from antiphon.websockets.channel import WebSocketMessage
from antiphon.websockets.websocket import WebSocketValues

__all__ = [
    "ASGIApplication",
    "AbortOptions",
    "AfterHook",
    "AttributeValue",
    "BareItem",
    "BeforeHook",
    "BlockNames",
    "Body",
    "BodyLike",
    "BodyPolicy",
    "BodyStream",
    "CSRFReason",
    "CacheDirectives",
    "Caller",
    "ChannelListener",
    "ChannelMessage",
    "ChannelPresence",
    "CheckFunction",
    "Choices",
    "ClientAddress",
    "ClientContent",
    "ClientFields",
    "ClientFiles",
    "ConditionalRequest",
    "Counter",
    "Duration",
    "EndReason",
    "Environment",
    "ErrorHandlerDecorator",
    "ErrorOptions",
    "Feature",
    "FileSource",
    "FlashMessages",
    "FolderOptions",
    "ForeignApplication",
    "ForeignInterface",
    "FormError",
    "FormFields",
    "FormParts",
    "FrameworkValues",
    "Gauge",
    "Globals",
    "HTTPVersion",
    "Handler",
    "HeaderFields",
    "Histogram",
    "Identity",
    "KeyMaterial",
    "Language",
    "LazyText",
    "Lifetime",
    "LimitOptions",
    "Markup",
    "MiddlewareFunction",
    "Mount",
    "Number",
    "OnDrain",
    "OpenAPIDocument",
    "Pairs",
    "PatchMode",
    "PolicyDirectives",
    "PolicyWords",
    "Priority",
    "ProblemOptions",
    "Progress",
    "RangeSpec",
    "Record",
    "RecordGroup",
    "RequestFunction",
    "RequestOptions",
    "RequestWithReferrer",
    "ResponseLike",
    "Route",
    "RouteMeta",
    "RouteOptions",
    "Routes",
    "Run",
    "RunCall",
    "RunOwner",
    "RunState",
    "SameSite",
    "SecretKeys",
    "SessionAccess",
    "SettableDependency",
    "SharedValues",
    "Shield",
    "SocketUse",
    "SourceFunction",
    "StructuredKind",
    "StructuredMember",
    "TemplateRenderer",
    "TemplateString",
    "TestedApplication",
    "Text",
    "Texts",
    "TrustedOrigins",
    "WebSocketHandler",
    "WebSocketMessage",
    "WebSocketValues",
    "Widget",
]

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
from antiphon.app.mount import Mount
from antiphon.app.planning.cross_site import TrustedOrigins
from antiphon.app.route import BodyPolicy, Priority, Route, RouteOptions
from antiphon.app.served_function import RequestFunction
from antiphon.app.static_files import FolderOptions
from antiphon.body.form_parts import FormParts
from antiphon.body.stream import BodyStream, Progress
from antiphon.features.csrf import CSRFReason
from antiphon.features.forms.bound_field import FormFields
from antiphon.features.forms.field import Choices, Widget
from antiphon.features.health import CheckFunction
from antiphon.features.html import AttributeValue, Markup
from antiphon.features.hypermedia import PatchMode
from antiphon.features.kept_requests.record import Record
from antiphon.features.kept_requests.shelf import Kept
from antiphon.features.languages.request_language import Number
from antiphon.features.languages.texts import Texts
from antiphon.features.openapi.document import OpenAPIDocument
from antiphon.features.runs.record import RunState
from antiphon.features.runs.runs import RunOwner
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
from antiphon.request.interfaces import Language, Native, TemplateRenderer
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
    "CheckFunction",
    "Choices",
    "ClientAddress",
    "ClientContent",
    "ClientFields",
    "ClientFiles",
    "ConditionalRequest",
    "Duration",
    "EndReason",
    "ErrorHandlerDecorator",
    "ErrorOptions",
    "Feature",
    "FileSource",
    "FolderOptions",
    "ForeignApplication",
    "ForeignInterface",
    "FormFields",
    "FormParts",
    "Globals",
    "HTTPVersion",
    "Handler",
    "HeaderFields",
    "Identity",
    "Kept",
    "KeyMaterial",
    "Language",
    "Lifetime",
    "LimitOptions",
    "Markup",
    "MiddlewareFunction",
    "Mount",
    "Native",
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
    "RequestFunction",
    "RequestOptions",
    "RequestWithReferrer",
    "Route",
    "RouteMeta",
    "RouteOptions",
    "Routes",
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

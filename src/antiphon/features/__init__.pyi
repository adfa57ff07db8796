from antiphon.app.channel_log import MissedMessages
from antiphon.app.dispatch.declared import Gives
from antiphon.app.route_keys import Tool
from antiphon.app.store import OwnedEntry, Store, StoreCount, StoreEntry, StoreUnavailable
from antiphon.features.api_keys import APIKey
from antiphon.features.block_script import BlockScript
from antiphon.features.bound_sessions import bound_required
from antiphon.features.cache.feature import Cache
from antiphon.features.channels.channel import Channel
from antiphon.features.compression import Compression
from antiphon.features.cors import CORS
from antiphon.features.csrf import BadCSRFToken, CSRFTokens, csrf_input, csrf_token
from antiphon.features.django_login import DjangoLogin
from antiphon.features.durable.feature import Durable
from antiphon.features.file_routes import FileRoutes, RouteFile, route_options
from antiphon.features.flash import Flash
from antiphon.features.forms.bound_field import BoundField
from antiphon.features.forms.field import Field
from antiphon.features.forms.form import Form
from antiphon.features.health import Health, HealthCheck
from antiphon.features.idempotency.feature import IdempotentWrites
from antiphon.features.languages.feature import Languages
from antiphon.features.languages.request_language import (
    format_currency,
    format_date,
    format_datetime,
    format_number,
    format_percent,
    format_time,
    format_timedelta,
)
from antiphon.features.languages.texts import lazy_gettext
from antiphon.features.live.feature import Live
from antiphon.features.live.statements import live_reads, live_writes
from antiphon.features.logins import SessionLogin, login, logout
from antiphon.features.logs.access_log import AccessLog
from antiphon.features.metrics.feature import Metrics
from antiphon.features.oauth.protected_resource import ProtectedResource
from antiphon.features.oauth.tokens import AccessToken, Introspection
from antiphon.features.open_telemetry import OpenTelemetry
from antiphon.features.openapi.feature import OpenAPI
from antiphon.features.passkeys import Passkey, PasskeyLogin
from antiphon.features.rate_limits import RateLimit
from antiphon.features.recorder.feature import Recorder
from antiphon.features.refresh_tokens import RefreshTokens
from antiphon.features.resumable.feature import ResumableUploads
from antiphon.features.runs.formats import ui_message_stream
from antiphon.features.runs.production import current_run
from antiphon.features.runs.run import RunEnded, ValuesMissed
from antiphon.features.runs.runs import Runs
from antiphon.features.secret_names import Personal, Secret
from antiphon.features.security_headers import (
    ContentSecurityPolicy,
    PermissionsPolicy,
    SecurityHeaders,
    StrictTransportSecurity,
    csp_nonce,
)
from antiphon.features.sessions import Sessions
from antiphon.features.signatures.feature import SignatureRefused, Signatures
from antiphon.features.signatures.keys import SignatureKey
from antiphon.features.signatures.signing import SignedResponses, sign
from antiphon.features.signatures.webhooks import StandardWebhook, Webhook, WebhookRefused, WebhookSignature
from antiphon.features.stores.cookie import CookieStore
from antiphon.features.stores.memory import MemoryStore
from antiphon.features.stores.postgres import PostgresStore
from antiphon.features.stores.sqlite import SQLiteStore
from antiphon.features.stores.valkey.store import ValkeyStore
from antiphon.features.tables.query import TableQuery
from antiphon.features.tables.table import Table
from antiphon.features.templates.feature import Templates
from antiphon.features.templates.page import Block, Page
from antiphon.features.templates.slots import Slot
from antiphon.features.tools.feature import Tools
from antiphon.features.tools.tool_call import ToolCall
from antiphon.features.users import Basic, Bearer, Users, UserSource, is_same_secret, login_required, scopes_required
from antiphon.request.interfaces import FlashMessage, RequestSignature

__all__ = [
    "CORS", "APIKey", "AccessLog", "AccessToken", "BadCSRFToken", "Basic", "Bearer", "Block", "BlockScript",
    "BoundField", "CSRFTokens", "Cache", "Channel", "Compression", "ContentSecurityPolicy", "CookieStore",
    "DjangoLogin", "Durable", "Field", "FileRoutes", "Flash", "FlashMessage", "Form", "Gives", "Health", "HealthCheck",
    "IdempotentWrites", "Introspection", "Languages", "Live", "MemoryStore", "Metrics", "MissedMessages", "OpenAPI",
    "OpenTelemetry", "OwnedEntry", "Page", "Passkey", "PasskeyLogin", "PermissionsPolicy", "Personal", "PostgresStore",
    "ProtectedResource", "RateLimit", "Recorder", "RefreshTokens", "RequestSignature", "ResumableUploads", "RouteFile",
    "RunEnded", "Runs", "SQLiteStore", "Secret", "SecurityHeaders", "SessionLogin", "Sessions", "SignatureKey",
    "SignatureRefused", "Signatures", "SignedResponses", "Slot", "StandardWebhook", "Store", "StoreCount", "StoreEntry",
    "StoreUnavailable", "StrictTransportSecurity", "Table", "TableQuery", "Templates", "Tool", "ToolCall", "Tools",
    "UserSource", "Users", "ValkeyStore", "ValuesMissed", "Webhook", "WebhookRefused", "WebhookSignature",
    "bound_required", "csp_nonce", "csrf_input", "csrf_token", "current_run", "format_currency", "format_date",
    "format_datetime", "format_number", "format_percent", "format_time", "format_timedelta", "is_same_secret",
    "lazy_gettext", "live_reads", "live_writes", "login", "login_required", "logout", "route_options",
    "scopes_required", "sign", "ui_message_stream",
]  # fmt: skip

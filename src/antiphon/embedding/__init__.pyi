from antiphon.adapters.disconnect import endable
from antiphon.adapters.foreign.environ_host import EnvironHost, Host, ReceivedInput
from antiphon.adapters.foreign.wsgi import call_in_own_context, make_environ, started_response
from antiphon.adapters.servable import Servable
from antiphon.adapters.servers.embedded import LoopServer, ThreadServer
from antiphon.app.callers import checked_by
from antiphon.app.connections import DatabaseConnection
from antiphon.app.conversations.foreign_sockets import ForeignSockets
from antiphon.app.dispatch.returns import to_response
from antiphon.app.made_request import MadeRequest
from antiphon.app.mount import mounted_together
from antiphon.app.planning.cross_site import SAFE_METHODS, check_cross_site, parse_origin
from antiphon.app.planning.features import Added
from antiphon.app.planning.request_checks import DigestError, check_handshake
from antiphon.app.registry import PlannedRoute
from antiphon.app.route_keys import KeyHandling, RouteKeys
from antiphon.app.static_files import served_names
from antiphon.app.store import FeatureStore, KeptResponse
from antiphon.body.content import Content, NotLoadedError
from antiphon.body.form_data import FormBounds
from antiphon.body.multipart import MultipartParser
from antiphon.concurrency.background import background_loop, run_on, serving_loop
from antiphon.concurrency.crossing import Crossing
from antiphon.concurrency.iterables import as_bytes, made_chunks
from antiphon.concurrency.loop import contained, is_on_loop, refuse_on_loop
from antiphon.concurrency.process import DRAINING, GRACE_OVER, call_after_fork, call_at_exit
from antiphon.explanations import Advice, check_numbers, errors_name_it
from antiphon.features.openapi.code.words import DescribedApp
from antiphon.frameworks.connection import until_left
from antiphon.frameworks.framework import Framework, FrameworkRequest, FrameworkResponse, ViewRoute
from antiphon.frameworks.shared_bodies import environ_request, scope_request
from antiphon.handler.callables import (
    check_arguments,
    check_no_decorator,
    describe,
    innermost,
    is_async,
    ready,
    signature_of,
)
from antiphon.handler.contract import BEGIN_ON_THREAD, ON_LOOP, ON_THREAD, NotBegun
from antiphon.handler.drive import run_async
from antiphon.handler.request_state import RequestState
from antiphon.handler.scope import RequestLocal, set_current_request
from antiphon.http.dates import seconds_of
from antiphon.http.errors import http_error, over_limit
from antiphon.http.grammar import is_token, parse_or_none, split_list
from antiphon.http.head import DerivedHead, Head, RequestHead
from antiphon.http.urls.path import quoted_paths
from antiphon.http.urls.url import is_this_machine, quote_path
from antiphon.lazy import absent, import_on_use, lazy, missing_package, require_names
from antiphon.paths import folders_beside
from antiphon.request.caller import arrivals
from antiphon.request.dependencies import OfRequest
from antiphon.request.shared_caches import keep_private
from antiphon.request.watching import Reads, WatchedHead, unwatched
from antiphon.response.fields import SharedFields
from antiphon.response.files import FileBody, is_for_any_thread
from antiphon.response.made import check_template_data
from antiphon.response.message import watched
from antiphon.response.response import response_of
from antiphon.serialization.json import decode_json, encode_json
from antiphon.serialization.readers import TypeDescription, json_as
from antiphon.serialization.signing import TimedSigner
from antiphon.speedups import accelerated
from antiphon.uploads.spool import Spool, Window
from antiphon.uploads.temporary_file import safe_filename

__all__ = [  # noqa: RUF022 - by task
    # Parts of a feature
    "Added", "Advice", "KeyHandling", "PlannedRoute", "RouteKeys", "accelerated", "check_arguments",
    "check_no_decorator", "check_numbers", "checked_by", "describe", "errors_name_it", "folders_beside",
    "import_on_use", "innermost", "is_async", "lazy", "missing_package", "mounted_together", "ready",
    "require_names", "seconds_of", "signature_of",
    # Its store and its database
    "DatabaseConnection", "FeatureStore", "KeptResponse", "TimedSigner",
    # What a response depends on, and whose request it is
    "SAFE_METHODS", "OfRequest", "Reads", "RequestState", "WatchedHead", "arrivals", "check_cross_site",
    "is_this_machine", "keep_private", "parse_origin", "set_current_request", "unwatched",
    # Bodies and fields
    "Content", "DigestError", "FileBody", "FormBounds", "MultipartParser", "NotLoadedError", "SharedFields",
    "Spool", "Window", "as_bytes", "check_template_data", "endable", "http_error", "is_for_any_thread", "is_token",
    "made_chunks", "over_limit", "parse_or_none", "quote_path", "quoted_paths", "response_of", "safe_filename",
    "split_list", "to_response", "watched",
    # Requests that a feature makes
    "DerivedHead", "Head", "MadeRequest", "RequestHead",
    # The process, its threads and its loops
    "DRAINING", "GRACE_OVER", "Crossing", "background_loop", "call_after_fork", "call_at_exit", "contained",
    "is_on_loop", "refuse_on_loop", "run_async", "run_on", "serving_loop",
    # Hosts of dialects
    "BEGIN_ON_THREAD", "ON_LOOP", "ON_THREAD", "EnvironHost", "ForeignSockets", "Host", "LoopServer", "NotBegun",
    "ReceivedInput", "RequestLocal", "Servable", "ThreadServer", "absent", "call_in_own_context", "check_handshake",
    "make_environ", "served_names", "started_response",
    # Frameworks whose views ours serve
    "Framework", "FrameworkRequest", "FrameworkResponse", "ViewRoute", "environ_request", "scope_request",
    "until_left",
    # Describing types and applications
    "DescribedApp", "TypeDescription", "decode_json", "encode_json", "json_as",
]  # fmt: skip

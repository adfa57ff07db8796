"""A Dash backend on Antiphon, whose pages any framework can show with one view: https://dash.plotly.com"""

import pkgutil
from asyncio import to_thread
from collections.abc import Callable
from contextvars import copy_context
from functools import partial, partialmethod
from inspect import iscoroutine, iscoroutinefunction
from mimetypes import guess_type
from operator import attrgetter
from pathlib import Path
from time import time
from typing import Any

from dash import Dash, _validate
from dash.backends._utils import format_traceback_html
from dash.backends.base_server import BaseDashServer, RequestAdapter, ResponseAdapter
from dash.exceptions import InvalidResourceError, PreventUpdate
from dash.fingerprint import check_fingerprint

from antiphon import App, Request, Response, aget_response, current_request, view
from antiphon.features import Compression
from antiphon.http import ServerTiming

SERVER = "__dash_server"


def dash_view(dash: Dash, interface: Any = None) -> Callable[..., Any]:
    """Return a view that shows a Dash application. Register it for GET and POST on all paths below its prefix."""
    return view(interface=interface)(partial(aget_response, dash.server))


def _read(name: str) -> property:
    return property(lambda self: getattr(current_request(), name))


class DashRequest(RequestAdapter):
    """The current request, as Dash reads it."""

    context, args, cookies, url = map(_read, ("g", "args", "cookies", "url"))
    headers = property(lambda self: {name.title(): value for name, value in current_request().headers.items()})
    path, remote_addr, get_json = _read("path"), _read("ip"), lambda self: current_request().json
    root = property(lambda self: f"{current_request().url.origin}/")
    is_json = property(lambda self: current_request().mimetype == "application/json")
    origin = property(lambda self: current_request().headers.get("origin"))
    full_path = property(lambda self: f"{current_request().path}?{current_request().query_string.decode('latin-1')}")


class DashResponse(ResponseAdapter):
    """The response to a callback, which can set its header and cookies."""

    def __init__(self) -> None:
        made = self.callback_response = Response(None, 200, {"content-type": "application/json"})
        self.set_cookie, self.append_header, self.set_header = (
            made.set_cookie,
            made.headers.add,
            made.headers.__setitem__,
        )

    callback_response: Any = None

    def set_response(self, data: str = "", **_: object) -> Response:
        self.callback_response.body = data.encode()
        return self.callback_response


class DashServer(BaseDashServer[App]):
    """The server interface that Dash needs: ``Dash(__name__, backend=DashServer)``."""

    server_type, request_adapter, response_adapter = "antiphon", DashRequest, DashResponse

    create_app = staticmethod(lambda name="__main__", config=None: App())

    def register_assets_blueprint(self, blueprint_name: str, assets_url_path: str, assets_folder: str) -> None:
        if Path(assets_folder).is_dir():
            self.server.static(assets_url_path, assets_folder, name=blueprint_name)

    def register_error_handlers(self) -> None:
        self.server.errorhandler(PreventUpdate)(lambda request, error: Response(None, 204))
        self.server.errorhandler(InvalidResourceError)(lambda request, error: Response.html(error.args[0], 404))

    def register_prune_error_handler(self, secret: str, prune_errors: bool) -> None:
        if prune_errors:
            page = partial(format_traceback_html, error_handling_mode="prune", title="Dash", backend="Antiphon")
            self.server.errorhandler(Exception)(lambda request, error: Response.html(page(error), 500))

    def add_url_rule(self, rule: str, view_func: Any, endpoint: str | None = None, methods: Any = None) -> None:
        self.server.route(rule, methods or ["GET"], name=endpoint)(_without_request(view_func))

    def before_request(self, func: Callable[[], Any]) -> None:
        async def call(request: Request) -> Any:
            answer = func()
            return await answer if iscoroutine(answer) else answer

        self.server.before_request(call)

    def after_request(self, func: Callable[[Response], Any]) -> None:
        self.server.after_request(lambda request, response: func(response))

    def has_request_context(self) -> bool:
        return current_request(None) is not None

    def run(self, dash_app: Dash, host: str, port: int, debug: bool, **options: Any) -> None:
        self.server.run(host, port, **options)

    def make_response(self, data: Any, mimetype: Any = None, content_type: Any = None, status: Any = None) -> Response:
        kind = content_type or mimetype or "text/html"
        kind += "; charset=utf-8" if not content_type and kind.startswith("text/") else ""
        return Response(data, status or 200, {"content-type": kind})

    jsonify = staticmethod(Response.json)

    def enable_compression(self) -> None:
        self.server.use(Compression())

    def register_timing_hooks(self, first_run: bool) -> None:
        def tell(response: Response) -> None:
            told = current_request().g.timing_information
            told[SERVER]["dur"] = round((time() - told[SERVER]["dur"]) * 1000)
            response.server_timing = tuple(ServerTiming(name, **each) for name, each in told.items())

        self.before_request(lambda: vars(current_request().g).update(timing_information={SERVER: {"dur": time()}}))
        self.after_request(tell)

    def register_callback_api_routes(self, callback_api_paths: dict[str, Callable[..., Any]]) -> None:
        for path, handler in callback_api_paths.items():
            call = _without_request(handler, lambda request: request.json or {})
            self.server.post(f"/{path.lstrip('/')}", name=path)(call)

    def setup_component_suites(self, dash_app: Dash) -> None:
        def serve(package_name: str, path: str) -> Response:
            name, is_fingerprinted = check_fingerprint(path)
            _validate.validate_js_path(dash_app.registered_paths, package_name, name)
            response = self.make_response(
                pkgutil.get_data(package_name, name), guess_type(name)[0] or "application/octet-stream"
            )
            response.add_etag()
            if is_fingerprinted:
                response.headers["cache-control"] = "max-age=31536000"
            return response.make_conditional(current_request())

        dash_app._add_url("_dash-component-suites/<package_name>/<path:path>", serve)

    def serve_callback(self, dash_app: Dash) -> Callable[[], Any]:
        def dispatch() -> tuple[ResponseAdapter, Any]:
            body = current_request().json
            context = dash_app._initialize_context(body)
            function = dash_app._prepare_callback(context, body)
            values = dash_app._inputs_to_vals(context.inputs_list + context.states_list)
            call = dash_app._execute_callback(function, values, context.outputs_list, context)
            return context.dash_response, copy_context().run(call)

        async def answer() -> Response:
            response, data = await to_thread(dispatch)  # callbacks may block
            return response.set_response(data=await data if iscoroutine(data) else data)

        return answer

    def setup_index(self, dash_app: Dash, path: str = "") -> None:
        dash_app._add_url(path, lambda **_: Response.html(dash_app.index()))

    setup_catchall = partialmethod(setup_index, path="<path:path>")


def _without_request(function: Callable[..., Any], arguments: Any = attrgetter("path_params")) -> Any:
    async def acalled(request: Request) -> Any:
        return await function(**arguments(request))

    def called(request: Request) -> Any:
        return function(**arguments(request))

    return acalled if iscoroutinefunction(function) else called

"""Names and arguments of other frameworks, by object, and what to write instead."""

from collections.abc import Mapping

REQUEST = {
    "accept_charsets": "request.headers.get('accept-charset')",
    "after_request": "request.on_response(function)",
    "GET query query_args query_arguments query_params str_GET str_params": "request.args",
    "POST post body_arguments str_POST forms": "request.form",
    "FILES file": "request.files",
    "COOKIES cookies_dict str_cookies": "request.cookies",
    "cookie get_cookie get_cookie_values": "request.cookies.get(name)",
    "get_secure_cookie get_signed_cookie": "request.session, or request.cookies and a Signer",
    "META environ meta": "request.headers, and attributes such as request.ip and request.scheme",
    "client_addr client_ip remote remote_addr ips remote_ip": "request.ip",
    "match_info matchdict path_args view_args": "request.path_params, or an argument of the handler",
    "url_args urlargs urlvars": "request.path_params, or an argument of the handler",
    "data get_data raw_body read bytes array_buffer blob has_body can_read_body": "request.body",
    "get_json get_media json_body load_json media": "request.json, or request.json_as(Order)",
    "params param": "request.path_params, or request.args for the query",
    "all arguments input only values dict_storage_class list_storage_class parameter_storage_class": (
        "request.args and request.form, or request.json"
    ),
    "lang locale": "request.language.tag, after app.use(Languages(folder))",
    "__ gettext": "request.language.gettext(key)",
    "env": "env from antiphon",
    "is_json": 'request.mimetype == "application/json"',
    "context ctx state tmpl_context locals set var": "request.g, or a Dependency: request[dependency]",
    "application_url base_url host_url path_url url_root urlparts": "request.url.origin, .root or .path",
    "full_path path_qs original_url fullpath get_full_path raw_url rel_url relative_uri uri": "request.url.target",
    "full_url": "str(request.url)",
    "path_info": "request.path",
    "protocol secure ssl": "request.scheme, or request.is_secure",
    "htmx": "request.headers",
    "uri_template url_rule": "request.route.pattern",
    "matched_route resolver_match": "request.route",
    "blueprints": "request.blueprint",
    "script_name script_root": "request.root_path",
    "subpath traversed view_name virtual_root virtual_root_path": "request.route and request.path_params",
    "relative_url": "request.url_for(name), or urljoin of urllib.parse",
    "registry root": "request.app",
    "access_route": 'request.ip, or request.headers.getall("x-forwarded-for")',
    "accept_language": "request.accept_languages",
    "accept_mimetypes accepts client_accepts client_accepts_json expects_json format respond_to wants_json": (
        'request.accept.best(["text/html", "application/json"])'
    ),
    "browser": "request.user_agent.browser, or request.user_agent.os",
    "is_xhr xhr is_ajax xml_http_request": 'request.x_requested_with == "XMLHttpRequest"',
    "media_type": "request.mimetype",
    "mimetype_params": "request.content_type.parameters",
    "url_charset encoding": "request.args, which are always read as UTF-8",
    "current_user remote_user": "request.user, after app.use(Users(...))",
    "body_file bounded_stream": "request.stream",
    "form_data_parser_class make_form_data_parser want_form_data_parsed": "request.form, or a lazy route",
    "shallow": "a route with receive='stream'",
    "is_multiprocess is_multithread is_run_once": "code that may run in several threads and processes",
    "application": "to_app(function) from antiphon",
    "copy_get from_values": "Request.blank(url)",
    "get_response": "Client(app) from antiphon.testing",
    "back": "Response.back(request)",
    "redirect": "Response.redirect(location), or raise Redirect(location)",
    "html render render_template": "Page(template, name=value) from antiphon.features, or Response.template",
    "block": "Page(template, _block=name) from antiphon.features, or Response.template",
    "send_file": "Response.file(path)",
    "not_found send_error set_status status status_code throw": "abort(404), or return body, status",
    "csrf_input": "csrf_input(request) from antiphon.features, after app.use(CSRFTokens())",
    "csrf_token csrf_token_value xsrf_token": "csrf_token(request) from antiphon.features, after app.use(CSRFTokens())",
    "add_background_task after background call_on_close execution_ctx": "request.after_response(function)",
    "req request": "the object itself, which is the request: request.args, request.json, request.path_params",
    "get get_header": "request.headers.get(name)",
    "header set_header": "request.headers.get(name), or response.headers[name] = value",
    "get_parameter get_argument get_query_argument get_param get_args": "request.args.get(name)",
    "get_arguments get_query_arguments": "request.args.getall(name)",
    "get_body_argument": "request.form.get(name)",
    "get_param_as_bool get_param_as_float get_param_as_int": "request.args_as(Search)",
    "filled has": "name in request.args, or in request.form",
    "has_file": "name in request.files",
    "is_method": 'request.method == "POST"',
    "old": "Form(Order, request) from antiphon.features, which keeps what was typed",
    "reset_session": "request.session.clear()",
    "auth bearer_token credentials token": "request.authorization, or request.user after app.use(Users(...))",
    "forwarded_host hostname get_host netloc": "request.host",
    "build_absolute_uri": "request.url_for(name, _absolute=True)",
    "conn_info scope transport": "request.method, request.path, request.headers and the other attributes",
    "set_cookie": "response.set_cookie(name, value)",
    "permit validate": "request.form_as(Order), or request.json_as(Order)",
    "finish res respond new_response write": "the handler's result: return Response(body, status, headers)",
    "form_data multipart": "request.form and request.files, or request.parts()",
}
RESPONSE = {
    "code status_code status_int set_status write_head reason reason_phrase": "response.status",
    "app_iter content data get_data iter_encoded media response set_data": "response.body",
    "charset content_type_params default_content_type media_type mimetype mimetype_params": "response.content_type",
    "background call_on_close close": "request.after_response(function)",
    "headerlist raw_headers": "response.headers",
    "unicode_body": "response.text",
    "body_file prepare set_stream write_eof eof": "Response.stream(chunks)",
    "attachment attachment_filename download download_name downloadable_as send_file viewable_as": (
        "Response.file(path, filename=name)"
    ),
    "direct_passthrough": "Response.file(path), which servers send themselves",
    "implicit_sequence_conversion is_sequence make_sequence streaming": "response.is_streamed and response.freeze()",
    "cache_expires": "response.cache_for(seconds)",
    "get_etag set_etag": "response.etag",
    "conditional_response": "response.make_conditional(request)",
    "exception": "response.error",
    "force_type": "Response(body, status, headers), or response.to_framework(given) for the reverse",
    "from_app": "Client(app) from antiphon.testing",
    "get_app_iter get_wsgi_headers get_wsgi_response": "the response itself, which is an application of WSGI and ASGI",
    "get_json": "response.json",
    "send end write": "the handler's result: return the text, or Response(body)",
    "ok created not_found no_content empty send_status": "the handler's result: return body, status",
    "render view": "Page(template, name=value) from antiphon.features, or Response.template",
    "set header set_header add_header append_header append with_headers": "response.headers[name] = value",
    "append_link": "response.links",
    "set_secure_cookie set_signed_cookie": "Signer(app.secret_keys) for the value of response.set_cookie(name, value)",
    "cookie cookies add_cookie": "response.set_cookie(name, value)",
    "del_cookie clear_cookie unset_cookie": "response.delete_cookie(name)",
    "sse": "Response.events(source)",
}
RESPONSE_HEAD = {
    "status_code status_int": "response.status",
    "mimetype": "response.content_type",
    "raw_headers": "response.headers",
}
CLIENT_RESPONSE = {
    "content data get_data": "response.body",
    "get_json": "response.json",
    "get_text": "response.text",
    "iter_bytes iter_content iter_lines": "with client.stream(method, url) as response:",
    "raise_for_status assert_status expect": "assert response.status == 200",
    "assert_json": "assert response.json == value",
    "assert_see mustcontain": "assert text in response.text",
    "ok is_success": "response.status < 400",
}
CLIENT_SETTINGS = {
    "raise_server_exceptions raise_app_exceptions raise_request_exception": "raise_errors",
    "use_cookies": "cookies",
    "backend backend_options": "AsyncClient(app), which uses the event loop of the test",
}
CLIENT = {
    "acting_as force_login aforce_login": "client.login(user)",
    "session_transaction set_session_data get_session_data": "with client.session as session:",
    "websocket_connect ws_connect": "with client.websocket(url) as socket:",
    "open fetch simulate_request": "client.request(method, url)",
    "get_json simulate_get": "client.get(url), and response.json",
    "post_json simulate_post": "client.post(url, json=value)",
    "cookie_jar delete_cookie get_cookie set_cookie": "client.cookies, such as client.cookies.set(name, value)",
}
COOKIES = {"get_dict items values": "dict(client.cookies)"}
APP_METHODS = {
    "options": "@app.route(pattern, ['OPTIONS']); without it, OPTIONS gets the allowed methods",
    "listen serve": "antiphon run module:app, or app.run() at the end of the program",
    "all any match on": "@app.route(pattern, methods)",
    "add_sink": "@app.route('/<path:path>', methods)",
    "redirect": "a handler that returns Response.redirect(url)",
    "view": "a handler that returns Page(template, name=value), of antiphon.features",
    "bind make singleton": "app.provide(dependency, source), then request[dependency]",
    "skip_before_action": "a Blueprint, whose before_request is for its routes",
    "req_options resp_options router_options": "the arguments of App, such as limits=Limits(body=...)",
    "base_path group namespace scope": "Blueprint(name, prefix=...)",
    "add_handlers add_routes": "@app.get(pattern), or app.register(blueprint)",
    "resource resources": "one handler for each method: @app.get(path), @app.post(path)",
    "ws websocket_route add_websocket_route add_api_websocket_route": "@app.websocket(pattern)",
    "before on_request before_action": "@app.before_request",
    "after on_response after_action": "@app.after_request",
    "add_background_task add_task": "request.after_response(function), or a task of @app.lifespan",
    "ctx decorate locals settings": "a module of your own, or a lifespan: app[pool]",
    "helpers": "app.template_context(name=value), or a module of your own",
    "param": "app.converter(name, to_python)",
}
APP = {
    **APP_METHODS,
    "include_router register_blueprint add_blueprint add_router blueprint include merge": "app.register(blueprint)",
    "add_api_route add_route add_url_rule api_route": "app.route(pattern, methods)(function)",
    "add_middleware middlewares around_action install ext": "@app.middleware, or app.use(feature)",
    "add_hook hook": "@app.before_request, or @app.after_request",
    "debug": "antiphon run --debug",
    "add_exception_handler exception_handler exception_handlers register_error_handler": "@app.errorhandler(key)",
    "add_error_handler error error_handler exception on_error not_found rescue_from set_error_handler": (
        "@app.errorhandler(key)"
    ),
    "add_event_handler before_first_request before_serving while_serving on_event": "@app.on_startup, or @app.lifespan",
    "before_server_start cleanup_ctx listener register_listener signal": "@app.on_startup, or @app.lifespan",
    "on_cleanup after_server_stop before_server_stop after_serving": "@app.on_shutdown, or @app.lifespan",
    "teardown_appcontext teardown_request": "request.after_response(function)",
    "test_client asgi_client fetch inject request": "Client(app) from antiphon.testing",
    "app_context test_request_context": "Request.blank(url)",
    "config disable enable set": "a module of your own, or a lifespan: app[pool]",
    "state": "a module of your own, or a lifespan: app[pool]",
    "extensions": "app.features, or app.find_feature(Sessions)",
    "asgi_app wsgi_app": "the app itself, which every server can call",
    "add_static_files add_static_route static_folder serve_static": 'app.static("/static", folder)',
    "dependencies": "app.provide(dependency, source)",
    "dependency_overrides": "with app.override(dependency, value):",
    "url_map urls router view_functions": "app.routes",
    "context_processor template_context_processor": "app.template_context(name=value)",
    "jinja_options template_folder": "app.use(Templates(folder))",
    "jinja_env": "templates.environment, of templates = Templates(folder)",
    "add_template_filter app_template_filter template_filter": "templates.environment.filters[name] = function",
    "add_template_global app_template_global template_global": (
        "templates.environment.globals[name] = function, or app.template_context(name=value)"
    ),
    "add_template_test app_template_test template_test": "templates.environment.tests[name] = function",
    "logger": "logging.getLogger(name)",
    "cli": "a program of your own, or a click command in the entry-point group antiphon.commands",
    "open_resource": "importlib.resources.files(package)",
    "create_response make_response": "Response(body, status, headers), or return the value itself",
    "head": "@app.get, which handles HEAD, too",
}
SOCKET = {
    "receive_text receive_bytes receive_str recv": "await socket.receive()",
    "receive_json json": "await socket.receive_as(Order), a class, or dict",
    "send_text send_str send_bytes send_json send_message write_message emit": "await socket.send(value), any value",
    "iter_text iter_bytes on on_message data": "async for message in socket",
    "iter_json": "async for value in socket.values(Order)",
    "query_params args path_params headers cookies session user url client app": "the request, the first argument",
    "prepare": "await socket.accept(), or the first receive or send",
    "client_state application_state ready_state exception": "socket.closed, None while it is open",
    "broadcast join rooms": "Channel of antiphon.features: channel.send(value), and a socket that follows it",
}
ENV = {
    "get getenv str": "env(name, default)",
    "int float bool list json dict path url decimal": "env(name, default), of the default's type, or cast=",
    "keys items values": "os.environ",
    "read_env load_dotenv": "env.load(), which antiphon run calls",
}
HEADERS = {
    "getlist getone get_all get_list getheaders": "getall(name)",
    "append set_all": "add(name, value)",
    "set set_header setlist": "headers[name] = value",
}
PARAMETERS = {
    "res response resp reply": "return Response(body, status, headers), or return the value itself",
    "next call_next": "@app.middleware, on a generator function with `response = yield`",
    "body data payload": "request.json_as(Order), request.form_as(Order) or request.body",
    "socket websocket ws": "@app.websocket(pattern), on a handler(request, socket)",
    "session": "request.session, after app.use(Sessions(store))",
    "user current_user": "request.user, after app.use(Users(...))",
    "db conn connection pool": "request[db], a Dependency, after app.provide(db, source)",
}
"""Arguments of handlers elsewhere, and what to use instead."""
POSITIONAL = {
    "__call__": "Write the type by name: env(name, default, cast=int)",
    "get post put patch delete query route websocket": "Write @app.{}('/') above the handler, which takes the request",
    "use": "Write app.register(blueprint, prefix='/shop'), or app.mount('/shop', application)",
}
"""Methods of apps and blueprints that take one argument, and what to write instead of a second."""
ITEMS = {
    "App": "a module of your own, or a lifespan: app[pool]",
    "Response": "response.headers[name] = value",
    "Globals": "request.g.name, an attribute",
    "FlashMessages": "request.flash(text, category), and in the page, get_flashed_messages()",
}
"""Objects that aren't dicts here, and what to write instead of an item."""
BLUEPRINT = {
    "include_router register_blueprint": "blueprint.register(other)",
    "add_api_route add_route add_url_rule api_route": "blueprint.route(pattern, methods)(function)",
    "register_error_handler": "@blueprint.errorhandler(key)",
    "before_app_request": "@app.before_request",
    "after_app_request": "@app.after_request",
    "app_errorhandler": "@app.errorhandler(key)",
    "app_context_processor": "app.template_context(name=value)",
}
SESSION = {
    "permanent set_expiry cookie": "app.use(Sessions(lifetime=...)), for all sessions",
    "modified accessed save": "the session itself, whose changes are saved with the response",
    "flush destroy invalidate": "session.clear()",
    "put": "session[name] = value",
    "forget pull": "session.pop(name, None)",
    "cycle_key regenerate": "session.rotate()",
    "session_key sessionID": "request.session.is_new, or a value of your own: no program sees the key",
}
FLASH = {
    "add alert error info notice success warning": "request.flash(text, category)",
    "now": "the data of the page itself, as in Page(template, message=text)",
}
PACKAGE = {
    "Flask FastAPI Starlette Antiphon Application Bottle Express Hono Litestar NinjaAPI Quart Sanic express": "App",
    "web": "App, Request and Response, each from antiphon",
    "APIRouter Router RouteTableDef": "Blueprint",
    "Controller ApplicationController RequestHandler RestController": (
        "a Blueprint(name, prefix=...), with a handler for each method"
    ),
    "get post put delete patch route GetMapping PostMapping RequestMapping": "@app.get(pattern), after app = App()",
    "Route": "@app.get(pattern), after app = App(); the class of request.route is in antiphon.types",
    "HTTPServer Server run run_app serve": "antiphon run module:app, or app.run() at the end of the program",
    "Provide Autowired Inject Depends": "a Dependency: app.provide(dependency, source), then request[dependency]",
    "Context": "Request, the handler's first argument",
    "middleware Middleware Next": "@app.middleware, on a generator function with `response = yield`",
    "before before_action": "@app.before_request",
    "PathVariable": "an argument of the handler, such as id: int for the path /users/<int:id>",
    "Parameter RequestParam Query": "request.args, or request.args_as(Search)",
    "RequestBody Body": "request.json, or request.json_as(Order)",
    "ResponseEntity": "return body, status, headers",
    "text html raw empty": "Response.text(text), Response.html(text) or Response(data)",
    "ServerSentEvent SSE EventSource streamSSE": "Response.events(source), and Event from antiphon.http",
    "websocket WebSocketHandler WebSocketRoute WebSocketResponse WSMsgType": (
        "@app.websocket(pattern), on a handler(request, socket)"
    ),
    "BaseModel Schema Struct Validator": "a dataclass, as in request.json_as(Order), or a Struct of msgspec",
    "HttpRequest": "Request",
    "Annotated": "typing.Annotated; a handler reads a dependency itself, as request[dependency]",
    "Cookie": "request.cookies",
    "Header": "request.headers",
    "Form": "request.form, or request.form_as(Order); the Form of a page is in antiphon.features",
    "File UploadFile": "request.files",
    "session": "request.session, after app.use(Sessions(store))",
    "g": "request.g",
    "current_app": "request.app",
    "State": "a module of your own, or a lifespan: app[pool]",
    "DB models": "any database library, such as SQLAlchemy: antiphon docs database",
    "admin": "another application, mounted: antiphon docs admin",
    "PermissionDenied PermissionDeniedException": "Forbidden from antiphon.http, or abort(403)",
    "NotAuthorizedException": "Unauthorized from antiphon.http, or abort(401)",
    "reverse reverse_lazy url_for": "request.url_for(name)",
    "asset": "request.url_for('static', filename=name), after app.static(prefix, folder)",
    "back": "Response.back(request)",
    "dispatch": "request.after_response(function), or a durable job: antiphon docs jobs",
    "Log": "logging.getLogger(name)",
    "Mail": "smtplib, or any library: antiphon docs email",
    "Storage": "upload.save(path), or a client of your object storage: antiphon docs object-storage",
    "params": "request.path_params, request.args or request.form",
    "old": "Form(Order, request) from antiphon.features, which keeps what was typed",
    "helpers": "app.template_context(name=value), or a module of your own",
    "MEDIA_JSON": 'the text, "application/json"',
    "flash messages": "request.flash(text), after app.use(Flash())",
    "erb render render_template TemplateResponse Jinja2Templates": "Page(template, name=value) from antiphon.features",
    "JSONResponse JsonResponse jsonable_encoder jsonify json json_response": (
        "Response.json(value), or return the dict, list or dataclass itself"
    ),
    "HttpResponse PlainTextResponse make_response": "Response(body, status, headers)",
    "HTMLResponse": "Response.html(text)",
    "FileResponse send_file static_file": "Response.file(path)",
    "send_from_directory StaticFileHandler StaticFiles static Static serveStatic": "app.static(prefix, folder)",
    "Stream StreamResponse StreamingHttpResponse StreamingResponse": "Response.stream(chunks), or the generator itself",
    "EventSourceResponse": "Response.events(source)",
    "HTTPFound HttpResponseRedirect RedirectHandler RedirectResponse redirect": (
        "Response.redirect(url), or raise Redirect(url)"
    ),
    "HTTPException HttpError SanicException": "HTTPError, or abort(404)",
    "Http404 HttpResponseNotFound abort_if abort_unless get_object_or_404 halt not_found": "abort(404)",
    "path re_path url urlpatterns": "@app.get(pattern), or @app.route(pattern, methods)",
    "include": "app.register(blueprint, prefix=...)",
    "csrf_exempt": "csrf_exempt=True at the route",
    "ModelForm forms FlaskForm": "Form(Order, request) from antiphon.features, with a dataclass",
    "Config config settings": "env(name, default), and the arguments of App",
    "CORSMiddleware cors": "app.use(CORS([origin])) from antiphon.features",
    "GZipMiddleware": "app.use(Compression()) from antiphon.features",
    "TrustedHostMiddleware": "App(trusted_hosts=[host])",
    "HTTPBearer OAuth2PasswordBearer": "Users(Bearer(loader)) from antiphon.features",
    "HTTPBasic": "Users(Basic(loader)) from antiphon.features",
    "run_in_threadpool sync_to_async": "await asyncio.to_thread(function), or a def handler, which runs on a thread",
    "BackgroundTask BackgroundTasks": "request.after_response(function)",
    "TestClient testclient": "Client from antiphon.testing",
    "WebSocketDisconnect": "WebSocketClosed",
    "Limiter": "RateLimit from antiphon.features",
    "get_flashed_messages": "request.flash.take(), after app.use(Flash())",
    "UserMixin": "any class: the loader of SessionLogin returns your user",
    "BooleanField IntegerField SelectField StringField TextAreaField": (
        "an annotated attribute of a dataclass, such as name: str, for Form(Order, request)"
    ),
    "FileField": "an attribute of a dataclass, such as picture: Upload, for Form(Order, request)",
    "DataRequired Length": "the type, such as Annotated[str, Meta(min_length=1)] of msgspec",
    "CSRFProtect": "app.use(CSRFTokens()) from antiphon.features",
    "LoginManager": "Users(SessionLogin(loader)) from antiphon.features",
    "SessionMiddleware": "Sessions from antiphon.features",
    "login_user": "login(request, user) from antiphon.features",
    "logout_user": "logout(request) from antiphon.features",
    "Auth auth current_user": "request.user, after app.use(Users(...))",
    "authenticated": "before=login_required at a route, from antiphon.features",
    "APIView HTTPEndpoint MethodView TemplateView View views": (
        "one handler for each method: @app.get(path), @app.post(path)"
    ),
    "Path": "an argument of the handler, or request.path_params",
    "Security": "a Dependency, or Users from antiphon.features",
    "secure_filename": "upload.safe_filename",
    "status": "the number, as in return body, 201",
    "stream_with_context": "the generator itself, which keeps the request: return it",
    "responses": "Response",
    "Template template templating": "Page(template, name=value) from antiphon.features",
}
TEST = "Client(app), in a function whose name begins with test_"
_BY_NUMBER = "abort(423), or another number, and HTTPError with error.status"
NAMES = {
    "antiphon.features": {"Session": "Sessions"},
    "antiphon.http": {
        "PaymentRequired ProxyAuthenticationRequired ExpectationFailed Locked FailedDependency TooEarly": _BY_NUMBER,
        "PreconditionRequired UnavailableForLegalReasons LoopDetected NetworkAuthenticationRequired": _BY_NUMBER,
    },
    "antiphon.testing": {"AsyncHTTPTestCase LiveServerTestCase TestCase": TEST},
}
ROUTE = {
    "response response_model": "the handler's annotation, as in def show(request) -> Order, or gives=Order",
    "status_code": "the handler's result: return value, 201",
    "deprecated": "meta={OpenAPI.DEPRECATED: True}",
    "include_in_schema": "meta={OpenAPI.HIDDEN: True}",
    "tags": "meta={OpenAPI.TAGS: [tag]}",
    "description summary": "the handler's docstring",
    "media_type response_class": "the handler's result: return Response.html(text)",
    "cache": "response.cache_for(seconds), or app.use(Cache()) from antiphon.features",
    "sync_to_thread": "a def handler, which runs on a thread",
    "opt": "meta=",
    "apply auth dependencies guards middleware": "before=hook",
    "stream": "receive='stream'",
    "endpoint": "name=",
    "action controller to": "@app.get(pattern) above the handler",
    "strict_slashes": "redirect_slashes=",
    "subdomain": "host=",
}
URL_FOR = {
    "_absolute _external _scheme": "request.url_for(name, _absolute=True)",
    "_anchor": 'url_for(name) + "#anchor"',
}
ERROR = {"code status_code": "status", "description message msg": "detail"}
MULTIDICT = {"get_list getlist": "getall(name)", "multi_items": "items()", "to_dict": "to_lists(), or dict(...)"}
"""For each class, names from other frameworks, separated by spaces, and Antiphon's."""

APP_SETTINGS = {
    "cookie_secret secret_key": "secret_keys=[key]",
    "allowed_hosts host_matching": "trusted_hosts=[host]",
    "max_content_length request_max_body_size client_max_size": "limits=Limits(body=...)",
    "title summary description version openapi openapi_url docs_url openapi_config": "app.use(OpenAPI(title=...))",
    "cors cors_config cors_enable": "app.use(CORS([origin]))",
    "lifespan": "@app.lifespan, on a function without parameters",
    "on_startup": "@app.on_startup",
    "on_shutdown": "@app.on_shutdown",
    "before_request": "@app.before_request",
    "after_request": "@app.after_request",
    "middleware": "@app.middleware, or app.use(feature)",
    "routes route_handlers": "@app.get(path), or app.register(blueprint)",
    "static_url_path static_files": 'app.static("/static", folder)',
    "template_config template_path": "app.use(Templates(folder))",
    "autoreload": "antiphon run --reload",
    "default_handler_class": "@app.errorhandler(404)",
    "login_url": "app.use(Users(SessionLogin(loader), login=name))",
    "xsrf_cookies": "app.use(CSRFTokens()), besides the check of writes from other sites, which is always made",
    "plugins": "app.use(feature)",
    "guards": "@app.before_request, or before=hook at a route",
    "strict strict_slashes": "redirect_slashes=True or False",
    "testing": "Client(app) from antiphon.testing",
    "permanent_session_lifetime": "app.use(Sessions(lifetime=...))",
    "session_interface": "app.use(Sessions(store))",
}
BLUEPRINT_SETTINGS = {
    "url_prefix path": "prefix",
    "subdomain": "host",
    "dependencies": "blueprint.before_request(hook), or before=hook at a route",
    "static_folder static_url_path": 'blueprint.static("/static", folder)',
    "tags": "Blueprint(name, meta={OpenAPI.TAGS: [tag]})",
    "template_folder": "blueprint.use(Templates(folder))",
}
"""Other frameworks' arguments for an app and a blueprint, besides the names above, and Antiphon's equivalents."""
ARGUMENTS: dict[str, Mapping[str, str]] = {
    "CORS.__init__": {
        "allow_origins": "CORS([origin])",
        "allow_credentials supports_credentials": "credentials=True",
        "allow_headers": "headers=[name]",
        "expose_headers": "expose=[name]",
        "allow_methods": "methods=[method]",
    },
    "AccessLog.__init__": {"format": "antiphon run --log-format json"},
    "Channel.__init__": {"backlog history": "max_messages=1000"},
    "Field.__init__": {
        "ge gt le lt max_length max_value min_length min_value multiple_of pattern regex": (
            "Annotated[str, msgspec.Meta(max_length=9)], with ge, gt, le, lt, min_length or pattern as needed"
        ),
        "default default_factory initial": "the default of the class's field, or Form(..., initial=value)",
        "description help_text": "help=text",
        "title": "label=text",
        "validators": "form.validate(check)",
    },
    "Health.__init__": {"endpoint path url": "live=path and ready=path"},
    "Cache.__init__": {"ttl timeout_seconds": "response.cache_for(seconds)"},
    "Languages.__init__": {"default_locale locale": "default=tag"},
    "OpenAPI.__init__": {
        "openapi_url": "path=path",
        "docs_url redoc_url": "docs=path",
        "tags": "meta={OpenAPI.TAGS: [tag]} at a route",
    },
    "RateLimit.__init__": {"key_func": "by=function"},
    "Environment.__call__": {"required": "env[name], which raises an error", "type": "cast="},
    "Response.__init__": {
        "media_type mimetype": "content_type=",
        "content html text": "the body as the first argument: Response(text), or Response.html(text)",
        "json": "Response.json(value), or return the value itself",
    },
    "Response.file": {"download": "as_attachment=True, or filename=name"},
    "Response.redirect": {
        "code status_code": "status=",
        "endpoint name to": "Response.redirect(request.url_for(name))",
        "permanent": "status=308",
    },
    "Response.set_cookie": {
        "secret signed": "Signer(app.secret_keys) for the value",
        "key": "the name as the first argument",
        "http_only httpOnly": "httponly=",
    },
    "Routes.register": {
        "url_prefix": "prefix=",
        "tags": "Blueprint(name, meta={OpenAPI.TAGS: [tag]})",
        "dependencies": "blueprint.before_request(hook)",
    },
    "SessionLogin.__init__": {"user_loader": "SessionLogin(loader)"},
    "Sessions.__init__": {
        "expires max_age ttl": "lifetime=seconds, or idle=seconds",
        "driver": "Sessions(store)",
        "secret secret_key": "Sessions(store): the cookie has only a random key, and nothing is signed",
        "same_site": "samesite=",
        "cookie_name name session_cookie": "cookie=name",
        "permanent": "lifetime=seconds",
        "secure": "the scheme: over https, the cookie is always Secure",
    },
    "Templates.__init__": {
        "directory": "Templates(folder)",
        "autoescape": "Templates(folder), which escapes all values that are not Markup",
        "filters": "templates.environment.filters[name] = function",
        "env extensions": "templates.environment, after templates = Templates(folder)",
    },
    "Users.__init__": {"login_url login_view": "login=name"},
    "FlashMessages.take": {
        "with_categories": "message.category: each message has one",
        "category_filter": "the categories themselves: get_flashed_messages('error')",
    },
    "login": {"remember": "app.use(Sessions(lifetime=...)), for all sessions"},
}
"""For each of Antiphon's functions, other frameworks' arguments, and what to write instead."""

TEMPLATE = {
    "current_user": "request.user",
    "g session": "request.g or request.session",
    "config": "app.template_context(name=value)",
    "csrf_token": "CSRFTokens: app.use(CSRFTokens())",
    "csrf_token_value": "csrf_token",
    "get_flashed_messages": "request.flash.take(), after app.use(Flash())",
}
"""Names that are undefined in templates here, and what to use instead."""

APP_ATTRIBUTES = (
    {word: ours for word, ours in APP.items() if word != "state" and word not in APP_METHODS}
    | {"url_prefix": "Blueprint(name, prefix=...), or app.register(blueprint, prefix=...)"}
    | {words: f"App({ours})" if ours.partition("=")[0].isidentifier() else ours for words, ours in APP_SETTINGS.items()}
)
"""Attributes of other frameworks' apps that would have no effect here, and Antiphon's equivalents."""
REQUEST_LIMITS = {"max_body_length max_content_length max_readline": "request.limits = Limits(body=...)"}
"""Attributes that programs set on other frameworks' requests, and Antiphon's equivalents."""

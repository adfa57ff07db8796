"""The site on Pyramid's names."""

from tests.dialects.attacks.sites.common import KEY, loader, make_files
from tests.dialects.attacks.sites.webob import shared_views


def site(package, folder):
    static = make_files(folder)
    load = loader(package)
    response_class = load("pyramid.response").Response
    httpexceptions = load("pyramid.httpexceptions")

    def text(value):
        return response_class(str(value), content_type="text/plain", charset="utf-8")

    def field(request):
        request.response.headers[request.GET["name"]] = request.GET["value"]
        return request.response

    def login(request):
        request.session.invalidate()
        request.session["user"] = request.GET["user"]
        return text("welcome")

    def whoami(request):
        current = load("pyramid.threadlocal").get_current_request()
        return text(f"{request.session.get('user')} {None if current is request else current}")

    def missing(request):
        return httpexceptions.HTTPNotFound(f"There is no {request.path_info}.")

    views = shared_views(text, httpexceptions.HTTPFound) | {
        "json": lambda request: text(type(request.json_body).__name__), "field": field, "login": login,
        "whoami": whoami, "flash": lambda request: request.session.flash(request.GET["text"]) or text("flashed"),
        "flashed": lambda request: text(request.session.pop_flash()),
    }  # fmt: skip
    sessions = load("pyramid.session").SignedCookieSessionFactory(KEY)
    config = load("pyramid.config").Configurator(session_factory=sessions)
    config.add_static_view("static", str(static))
    for name, view in views.items():
        config.add_route(name, f"/{name}")
        methods = {"request_method": "POST"} if name in ("form", "read", "json") else {}
        config.add_view(view, route_name=name, **methods)
    config.add_route("slash", "/slash/")
    config.add_view(views["hello"], route_name="slash")
    config.add_route("named", "/named/*name")
    config.add_view(views["hello"], route_name="named")
    config.add_notfound_view(missing, append_slash=True)
    return config.make_wsgi_app()

"""The site on Pyramid's names."""

from tests.dialects.attacks.sites.common import KEY, fail, form_told, loader, make_files, size_of, smuggle, told


def site(package, folder):
    """The application, of the dialect or of Pyramid."""
    static = make_files(folder)
    load = loader(package)
    response_class = load("pyramid.response").Response
    httpexceptions = load("pyramid.httpexceptions")

    def text(value):
        return response_class(str(value), content_type="text/plain", charset="utf-8")

    def tell(request):
        return text(
            told(
                method=request.method, path=request.path_info, host=request.host, url=request.url,
                scheme=request.scheme, root=request.script_name, ip=request.client_addr, names=[*request.GET],
                cookies=[*request.cookies], authorization=request.authorization,
                accept=request.accept.acceptable_offers(["text/html", "text/plain"]),
                languages=request.accept_language, range=request.range, tags=request.if_none_match,
                since=request.if_modified_since, control=request.cache_control,
            )
        )  # fmt: skip

    def form(request):
        items = [*request.POST.items()]
        files = [(name, item.filename, size_of(item.file)) for name, item in items if hasattr(item, "file")]
        return text(form_told([(name, item) for name, item in items if isinstance(item, str)], files))

    def redirect(request):
        raise httpexceptions.HTTPFound(location=request.GET["to"])

    def field(request):
        request.response.headers[request.GET["name"]] = request.GET["value"]
        return request.response

    def cookie(request):
        response = text("cookie")
        response.set_cookie(request.GET["name"], request.GET["value"], path=request.GET.get("path", "/"))
        return response

    def conditional(request):
        response = text("conditional")
        response.etag, response.conditional_response = "tag", True
        return response

    def download(request):
        response = text("download")
        response.content_disposition = f'attachment; filename="{request.GET["name"]}"'
        return response

    def login(request):
        request.session.invalidate()
        request.session["user"] = request.GET["user"]
        return text("welcome")

    def whoami(request):
        current = load("pyramid.threadlocal").get_current_request()
        return text(f"{request.session.get('user')} {None if current is request else current}")

    def missing(request):
        return httpexceptions.HTTPNotFound(f"There is no {request.path_info}.")

    views = {
        "hello": lambda request: text("hello"),
        "told": tell,
        "smuggled": lambda request: text(smuggle(request.method)),
        "redirect": redirect, "field": field, "cookie": cookie, "conditional": conditional, "download": download,
        "login": login, "whoami": whoami, "fail": lambda request: fail(),
        "flash": lambda request: request.session.flash(request.GET["text"]) or text("flashed"),
        "flashed": lambda request: text(request.session.pop_flash()),
        "form": form,
        "read": lambda request: text(len(request.body)),
        "json": lambda request: text(type(request.json_body).__name__),
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

"""The site on WebOb's names."""

from tests.dialects.attacks.sites.common import KEY, fail, form_told, loader, make_files, size_of, smuggle, told


def shared_views(text, found):
    """The views of requests that WebOb makes, which Pyramid's are, too; ``text`` and ``found`` make responses."""

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
        raise found(location=request.GET["to"])

    def back(request):
        raise found(location=request.referer or "/")

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

    return {
        "hello": lambda request: text("hello"), "told": tell, "smuggled": lambda request: text(smuggle(request.method)),
        "form": form, "read": lambda request: text(len(request.body)), "redirect": redirect, "back": back,
        "cookie": cookie,
        "conditional": conditional, "download": download, "fail": lambda request: fail(),
    }  # fmt: skip


def site(package, folder):
    static = make_files(folder)
    load = loader(package)
    webob, exc, cookies = load("webob"), load("webob.exc"), load("webob.cookies")
    profile = cookies.SignedCookieProfile(KEY, "salt", "session", max_age=3600)
    served = load("webob.static").DirectoryApp(str(static))

    def text(value):
        return webob.Response(str(value), content_type="text/plain", charset="utf-8")

    def field(request):
        response = text("field")
        response.headers[request.GET["name"]] = request.GET["value"]
        return response

    def login(request):
        response = text("welcome")
        profile.bind(request).set_cookies(response, {"user": request.GET["user"]})
        return response

    def whoami(request):
        return text(f"{(profile.bind(request).get_value() or {}).get('user')} None")

    own = {
        "json": lambda request: text(type(request.json).__name__), "field": field, "login": login, "whoami": whoami,
    }  # fmt: skip
    views = {f"/{name}": view for name, view in (shared_views(text, exc.HTTPFound) | own).items()}

    @load("webob.dec").wsgify
    def application(request):
        if request.path_info_peek() == "static":
            request.path_info_pop()
            return served
        view = views.get(request.path_info)
        if view is None:
            raise exc.HTTPNotFound(f"There is no {request.path_info}.")
        if request.path_info in ("/form", "/read", "/json") and request.method != "POST":
            raise exc.HTTPMethodNotAllowed(f"{request.method} is not allowed.")
        return view(request)

    return application

"""The site on Flask's names."""

from functools import partial

from tests.dialects.attacks.sites.common import KEY, fail, loader, make_files, smuggle, told, werkzeug_views


class ProxiedPart:
    """A WSGI application of which only what is below `/proxied` believes the header fields of a proxy."""

    def __init__(self, application, proxied):
        self.application, self.proxied = application, proxied

    def __call__(self, environ, start_response):
        """Call the application behind its proxy, or without one."""
        is_proxied = environ["PATH_INFO"].startswith("/proxied")
        return (self.proxied if is_proxied else self.application)(environ, start_response)


def site(package, folder):
    static = make_files(folder)
    load = loader(package)
    flask = load("flask")
    request, session = flask.request, flask.session
    app = flask.Flask("site", static_folder=str(static))
    app.secret_key = KEY
    app.config["MAX_CONTENT_LENGTH"] = 1 << 30
    app.logger.disabled = True
    fixed = load("werkzeug.middleware.proxy_fix").ProxyFix(
        app.wsgi_app, x_for=1, x_proto=1, x_host=1, x_port=1, x_prefix=1
    )
    app.wsgi_app = ProxiedPart(app.wsgi_app, fixed)

    text, shared = werkzeug_views(flask.Response)

    def tell():
        return text(
            told(
                method=request.method, path=request.path, host=request.host, url=request.url, scheme=request.scheme,
                root=request.script_root, ip=request.remote_addr, names=[*request.args], cookies=[*request.cookies],
                authorization=request.authorization, accept=request.accept_mimetypes.best,
                languages=request.accept_languages.best, range=request.range, tags=request.if_none_match,
                since=request.if_modified_since, forwarded=request.access_route, control=request.cache_control,
            )
        )  # fmt: skip

    app.add_url_rule("/told", "told", tell, methods=["GET", "POST", "PUT", "DELETE"])
    app.add_url_rule("/proxied", "proxied", tell)
    app.add_url_rule("/hello", "hello", lambda: text("hello"))
    app.add_url_rule("/smuggled", "smuggled", lambda: smuggle(request.method), methods=["GET", "POST"])
    app.add_url_rule("/slash/", "slash", lambda: text("slash"))
    app.add_url_rule("/named/<path:name>/", "named", lambda name: text(f"named {name}"))
    app.add_url_rule("/read", "read", lambda: text(len(request.get_data())), methods=["POST"])
    app.add_url_rule("/json", "json", lambda: text(type(request.get_json(force=True)).__name__), methods=["POST"])
    app.add_url_rule("/redirect", "redirect", lambda: flask.redirect(request.args["to"]))
    app.add_url_rule("/back", "back", lambda: flask.redirect(request.referrer or "/"))
    app.add_url_rule("/fail", "fail", fail)
    app.add_url_rule("/whoami", "whoami", lambda: text(f"{session.get('user')} {getattr(flask.g, 'user', None)}"))
    app.add_url_rule("/flash", "flash", lambda: flask.flash(request.args["text"]) or text("flashed"))
    app.add_url_rule("/flashed", "flashed", lambda: text(flask.get_flashed_messages()))

    for name, view in shared.items():
        methods = ["POST"] if name == "form" else ["GET"]
        app.add_url_rule(f"/{name}", name, partial(view, request), methods=methods)

    @app.get("/download")
    def download():
        return flask.send_file(str(static / "page.txt"), as_attachment=True, download_name=request.args["name"])

    @app.get("/file")
    def file():
        return flask.send_from_directory(str(static), request.args["name"])

    @app.get("/login")
    def login():
        session.clear()
        flask.g.user = session["user"] = request.args["user"]
        return text("welcome")

    return app

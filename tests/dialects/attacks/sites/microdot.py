"""The site on Microdot's names."""

from tests.dialects.attacks.sites.common import KEY, fail, form_told, loader, make_files, smuggle, told


def site(package, folder):
    load = loader(package)
    microdot = load("microdot") if package else load("microdot.wsgi")
    with_form_data = load("microdot.multipart").with_form_data
    sessions = load("microdot.session")
    app = microdot.Microdot()
    static_folder = make_files(folder)
    sessions.Session(app, secret_key=KEY)

    @app.route("/told", methods=["GET", "POST", "PUT", "DELETE"])
    async def tell(request):
        return told(
            method=request.method, path=request.path, host=request.headers.get("Host"), url=request.url,
            ip=request.client_addr, names=[*request.args], cookies=[*request.cookies],
        )  # fmt: skip

    app.get("/hello")(lambda request: "hello")
    app.route("/smuggled", methods=["GET", "POST"])(lambda request: smuggle(request.method))
    app.post("/read")(lambda request: str(len(request.body)))
    app.post("/json")(lambda request: type(request.json).__name__)
    app.get("/redirect")(lambda request: microdot.redirect(request.args["to"]))
    app.get("/field")(lambda request: ("field", {request.args["name"]: request.args["value"]}))
    app.get("/back")(lambda request: microdot.redirect(request.headers.get("Referer") or "/"))
    app.get("/fail")(lambda request: fail())
    app.get("/whoami")(sessions.with_session(lambda request, session: f"{session.get('user')} {vars(request.g)}"))

    @app.post("/form")
    @with_form_data
    async def form(request):
        fields = [(name, value) for name, values in dict.items(request.form or {}) for value in values]
        return form_told(fields, [(name, file.filename, 0) for name, file in (request.files or {}).items()])

    @app.get("/cookie")
    async def cookie(request):
        response = microdot.Response("cookie")
        response.set_cookie(request.args["name"], request.args["value"], path=request.args.get("path", "/"))
        return response

    @app.get("/static/<path:path>")
    async def static(request, path):
        if ".." in path:
            return "not found", 404
        return microdot.send_file(f"{static_folder}/{path}")

    @app.get("/login")
    @sessions.with_session
    async def login(request, session):
        request.g.user = session["user"] = request.args["user"]
        session.save()
        return "welcome"

    return app

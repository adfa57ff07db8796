"""An application for a caching proxy, which records the requests that reach it and their statuses."""

from collections import defaultdict

from antiphon import App, Request, Response
from antiphon.features import Cache, MemoryStore
from antiphon.features.compression import Compression
from antiphon.features.cors import CORS
from antiphon.http import CacheControl
from antiphon.request.proxies import TrustedProxies

PROXY_HEADERS = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-prefix"]
GREETINGS = {"en": "Hello", "de": "Grüße", "fr": "Salut"}
LONG = "All that is gold does not glitter. " * 100

app = App(trusted_proxies=TrustedProxies(["127.0.0.1", "unix"], headers=PROXY_HEADERS), trusted_hosts=["*"])
asked = defaultdict(list)


@app.middleware
def remember(request: Request):
    response = yield
    asked[f"{request.path}?{request.query_string.decode()}"].append(f"{request.method} {response.status}")


app.use(Compression())
app.use(CORS(["https://a.example", "https://b.example"]))


@app.get("/asked")
def tell(request: Request):
    return asked[request.args["target"]]


def public(response: Response, seconds: int = 60) -> Response:
    response.cache_for(seconds, public=True)
    return response


def private(response: Response) -> Response:
    response.cache_for(60)
    return response


def unstored(response: Response) -> Response:
    response.no_store()
    return response


def with_cookie(response: Response) -> Response:
    response.set_cookie("seen", "yes")
    return public(response)


POLICIES = {
    "public": public, "short": lambda response: public(response, 1), "private": private, "no-store": unstored,
    "cookie": with_cookie, "unsaid": lambda response: response,
}  # fmt: skip


@app.route("/page/<policy>", methods=["GET", "POST"])
def page(request: Request):
    response = POLICIES[request.path_params["policy"]](Response.text("a page"))
    response.add_etag()
    return response.make_conditional(request)


@app.get("/stream")
def stream(request: Request):
    def chunks():
        yield "one"
        if "fails" in request.args:
            raise RuntimeError("in the middle")
        yield "two"

    return public(Response.stream(chunks()))


@app.get("/changing")
def changing(request: Request):
    answers = len(asked[f"{request.path}?{request.query_string.decode()}"])
    response = public(Response.text(f"answer {answers}"), 1)
    response.add_etag()
    return response.make_conditional(request)


@app.get("/declared")
def greet_as_declared(request: Request):
    language = "de" if request.headers.get("accept-language", "").startswith("de") else "en"
    response = public(Response.text(GREETINGS[language]))
    response.vary("accept-language")
    return response


@app.get("/negotiated")
def greet(request: Request):
    language = request.accept_languages.best(GREETINGS, "en")
    return public(Response.text(GREETINGS[language], headers={"content-language": language}))


class BrokenError(Exception):
    """An error whose handler says that caches may keep its response."""


POLICY = CacheControl(max_age=60, public=True)
kept = App()
kept.use(Cache(MemoryStore()))
app.mount("/tenant/kept", kept)


@app.get("/tenant")
@kept.get("/")
def of_tenant(request: Request):
    return f"page of {request.headers.get('x-tenant')}", 200, {"cache-control": str(POLICY)}


@app.get("/tenant/of-all")
def of_all_fields(request: Request):
    return f"page of {dict(request.headers).get('x-tenant')}", 200, {"cache-control": str(POLICY)}


@app.get("/tenant/broken")
def fail(request: Request):
    raise BrokenError


@app.errorhandler(BrokenError)
def handle(request: Request, error: BrokenError):
    return of_tenant(request)


@app.get("/typed")
def typed(request: Request):
    if request.accept.best(["text/html", "application/json"]) == "application/json":
        return public(Response.json({"kind": "json"}))
    return public(Response.html("<p>html"))


@app.get("/long/<policy>")
def long(request: Request):
    response = POLICIES[request.path_params["policy"]](Response.text(LONG))
    response.add_etag()
    return response.make_conditional(request)


@app.get("/file")
@app.get("/sliced")
def send_file(request: Request):
    return public(Response.file(request.args["path"])).make_conditional(request)


@app.get("/where", name="where")
def where(request: Request):
    return {
        "ip": request.ip, "url": request.url, "path": request.url_for("where"),
        "absolute": request.url_for("where", _absolute=True), "is_secure": request.is_secure,
    }  # fmt: skip

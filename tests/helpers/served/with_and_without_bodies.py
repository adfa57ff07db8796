"""An application in which much depends on a body: signatures, digests, a cache, conditions, ranges, forms, retries."""

from antiphon import App, Request, Response
from antiphon.features import Cache, IdempotentWrites, MemoryStore, Signatures
from tests.helpers.served import endless_streams

SECRET = b"a secret that both sides know"
METHODS = ("GET", "POST", "DELETE", "QUERY")

app = App()
app.use(Signatures({"key": SECRET}, max_age=86400, store=False))
app.use(IdempotentWrites(MemoryStore()))
cached = App()
cached.use(Cache())
app.mount("/cached", cached)
app.mount("/endless", endless_streams.app)


def text(request: Request):
    return request.text


async def atext(request: Request):
    await request.aload()
    return request.text


def page(request: Request):
    _ = request.args.get("v")  # which keeps a cache's pages of several connections apart
    request.precondition(etag="page")
    response = Response(request.text + "0123456789" * 10)
    response.headers["etag"] = '"page"'
    response.cache_for(600, public=True)
    return response


async def apage(request: Request):
    return page(request)


for style, echo, conditional in ("def", text, page), ("async", atext, apage):
    app.route(f"/{style}/signed", METHODS, signed_by="partners")(echo)
    app.route(f"/{style}/signed/lazy", METHODS, signed_by="partners", receive="lazy")(echo)
    app.route(f"/{style}/digest", METHODS, check_digest=True)(echo)
    app.route(f"/{style}/streamed", METHODS, receive="stream")(echo)
    app.route(f"/{style}/once", ["POST"], idempotent=True)(echo)
    app.route(f"/{style}/page", ["GET", "QUERY"])(conditional)
    cached.route(f"/{style}/page", ["GET", "QUERY"])(conditional)


@app.get("/file")
def file(request: Request):
    return Response.file(__file__)


@app.post("/form")
def form(request: Request):
    return {"fields": request.form.items(), "files": [len(each.read()) for each in request.files.values()]}

"""Applications that count what they enter and leave, of each kind of request that may be broken off."""

import asyncio
import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from antiphon import App, Blueprint, Dependency, Limits, Request, Response, aget_response, to_app
from antiphon.adapters.exchange import Observer
from antiphon.features.compression import Compression
from antiphon.http.errors import Conflict, GatewayTimeout

SIZE = 100_000
"""Bytes of a body that is not received before the middleware opens."""
FORM = b'--b\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\n%s\r\n--b--\r\n' % bytes(600_000)
"""A form with a file that is not kept in memory."""
NONE = {}


class Ledger:
    """Counts of the blocks that were entered and left, and of the functions that were due after the response."""

    def __init__(self):
        self.entered, self.left = Counter(), Counter()
        self.due, self.called = Counter(), Counter()
        self.pauses = 0
        self.cancels_at = None

    @contextmanager
    def block(self, name):
        self.entered[name] += 1
        try:
            yield name
        finally:
            self.left[name] += 1

    async def pause(self):
        self.pauses += 1
        if self.pauses == self.cancels_at:
            asyncio.current_task().cancel()
        await asyncio.sleep(0)

    def after(self, request, is_async):
        name = f"after {len(self.due)}"
        self.due[name] += 1

        def blocks():
            self.called[name] += 1

        async def waits():
            self.called[name] += 1
            await self.pause()

        request.after_response(waits if is_async else blocks)

    def check(self):
        assert self.entered == self.left
        assert self.due == self.called


class Parts:
    """Handlers, hooks, middleware and sources of one style, with their blocks in a ledger."""

    def __init__(self, ledger, is_async):
        self.ledger = ledger
        self.is_async = is_async

    @property
    def others(self):
        return Parts(self.ledger, not self.is_async)

    def function(self, name, answer=lambda request, *_: None):
        def blocks(request, *more):
            with self.ledger.block(name):
                self.ledger.after(request, True)
                self.ledger.after(request, False)
                return answer(request, *more)

        async def waits(request, *more):
            with self.ledger.block(name):
                self.ledger.after(request, True)
                await self.ledger.pause()
                self.ledger.after(request, False)
                result = answer(request, *more)
                if asyncio.iscoroutine(result):
                    result = await result
                await self.ledger.pause()
                return result

        return waits if self.is_async else blocks

    def generator(self, name, value=None):
        """A generator for middleware and for dependencies."""

        def blocks(request):
            with self.ledger.block(name):
                yield value

        async def waits(request):
            with self.ledger.block(name):
                await self.ledger.pause()
                try:
                    yield value
                finally:
                    await self.ledger.pause()

        return waits if self.is_async else blocks

    def chunks(self, request, dependency=None, count=3):
        def blocks():
            with self.ledger.block("stream"):
                for _ in range(count):
                    yield b"chunk" if dependency is None else request[dependency]

        async def waits():
            with self.ledger.block("stream"):
                for _ in range(count):
                    await self.ledger.pause()
                    yield b"chunk" if dependency is None else request[dependency]

        return waits() if self.is_async else blocks()


def answering(answer, method="get"):
    """Return a function that registers a handler, which ``answer`` answers with the parts."""
    return lambda app, parts: getattr(app, method)("/")(
        parts.function("handler", lambda request: answer(parts, request))
    )


plain = answering(lambda parts, request: "done")
stream = answering(lambda parts, request: Response.stream(parts.chunks(request)))


def body(app, parts, policy="load"):
    def answer(request):
        return str(len(request.body))

    async def answer_later(request):
        await request.aload()
        return str(len(request.body))

    app.post("/", receive=policy)(parts.function("handler", answer_later if parts.is_async else answer))


def streamed_body(app, parts):
    def answer(request):
        return str(sum(map(len, request.stream)))

    async def answer_later(request):
        return str(sum([len(chunk) async for chunk in request.stream]))

    app.post("/", receive="stream")(parts.function("handler", answer_later if parts.is_async else answer))


def refused_body(app, parts):
    app.middleware(parts.generator("middleware"))
    app.post("/", limits=Limits(body=10))(parts.function("handler"))


def streamed_upload(app, parts):
    """The answer reads what was uploaded, which is closed after it."""

    def answer(request):
        file = request.files["file"]
        return Response.stream(iter([file.read()[:5], b"end"]))

    app.post("/")(parts.function("handler", answer))


def middleware(app, parts, **options):
    for number, each in enumerate((parts, parts.others, parts)):
        app.middleware(**options)(each.generator(f"middleware {number}"))
    plain(app, parts)


def middleware_with_body(app, parts):
    for each in (parts, parts.others):
        app.middleware(loads_body=True)(each.generator(f"middleware {each.is_async}"))
    body(app, parts)


def blocking_middleware(app, parts):
    app.middleware(blocking=True)(Parts(parts.ledger, False).generator("middleware"))
    plain(app, parts)


def deadline(app, parts):
    @app.middleware(errors_at_yield=True)
    async def within(request):
        with parts.ledger.block("middleware"):
            async with asyncio.timeout(60):
                yield

    shop = Blueprint("shop", deadline=60)
    shop.get("/")(parts.function("handler", lambda request: "done"))
    app.register(shop)


def passed_deadline(app, parts):
    """A deadline that passes at once; a handler on a thread answers all the same."""

    @app.middleware(errors_at_yield=True)
    async def within(request):
        with parts.ledger.block("middleware"):
            try:
                async with asyncio.timeout(0):
                    yield
            except TimeoutError:
                yield "late"

    plain(app, parts)


def hooks(app, parts):
    def own(request):
        request.on_response(parts.function("own hook"))
        request.on_response(parts.others.function("other own hook"))

    app.before_request(parts.function("before", own))
    app.before_request(parts.others.function("other before"))
    app.after_request(parts.function("after"))
    app.after_request(parts.others.function("other after"))
    plain(app, parts)


def provided(app, parts):
    """Dependencies of all kinds, and a function that reads them."""
    kinds = {"lazy": NONE, "blocking": {"blocking": True}, "async": NONE}
    dependencies = {kind: Dependency[str](kind) for kind in kinds}
    for kind, options in kinds.items():
        app.provide(dependencies[kind], Parts(parts.ledger, kind == "async").generator(kind, kind), **options)
    return dependencies


def dependencies(app, parts):
    provided_dependencies = provided(app, parts)
    middleware(app, parts)
    app.get("/dependencies")(
        parts.function("handler", lambda request: ", ".join(request[each] for each in provided_dependencies.values()))
    )


def failure(app, parts):
    def fails(request):
        raise Conflict

    provided(app, parts)
    middleware(app, parts, errors_at_yield=True)
    app.errorhandler(Conflict)(parts.others.function("error handler", lambda request, error: ("conflict", 409)))
    app.get("/failure")(parts.function("handler", fails))


def stream_with_dependencies(app, parts):
    lazy, blocking, waiting = provided(app, parts).values()
    app.middleware(parts.others.generator("middleware"))

    def answer(request):
        assert request[blocking]
        assert request[waiting]
        return Response.stream(parts.chunks(request, lazy))

    app.get("/")(parts.function("handler", answer))


def replaced_stream(app, parts):
    provided(app, parts)
    app.after_request(parts.others.function("after", lambda request, response: "instead"))
    stream(app, parts)


def compressed_stream(app, parts):
    app.use(Compression())
    app.get("/")(
        parts.function("handler", lambda request: Response.stream(parts.chunks(request), content_type="text/plain"))
    )


def mounted_app(app, parts):
    inner = App()
    app.middleware(parts.others.generator("outer"))
    inner.middleware(parts.generator("inner"))
    lazy, *_ = provided(inner, parts).values()
    inner.post("/")(parts.function("handler", lambda request: Response.stream(parts.chunks(request, lazy))))
    app.mount("/mounted", inner)


def mounted_function(app, parts):
    app.middleware(parts.others.generator("outer"))
    app.mount("/mounted", to_app(parts.function("handler", lambda request: Response(str(len(request.body))))))


def mounted_asgi_app(app, parts):
    async def inner(scope, receive, send):
        if scope["type"] == "lifespan":
            raise NotImplementedError
        with parts.ledger.block("asgi"):
            while (await receive()).get("more_body"):
                pass
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for more in (True, True, False):
                await parts.ledger.pause()
                await send({"type": "http.response.body", "body": b"chunk", "more_body": more})

    app.middleware(parts.generator("outer"))
    app.mount("/mounted", inner)


def mounted_wsgi_app(app, parts):
    def inner(environ, start_response):
        with parts.ledger.block("wsgi"):
            size = len(environ["wsgi.input"].read())
            start_response("200 OK", [])
            yield str(size).encode()
            yield b"chunk"

    app.middleware(parts.generator("outer"))
    app.mount("/mounted", inner, interface="wsgi")


def blueprint(app, parts):
    shop = Blueprint("shop", prefix="/shop")
    shop.middleware(parts.others.generator("inner"))
    app.middleware(parts.generator("outer"))
    shop.get("/")(parts.function("handler", lambda request: {"a": 1}))
    app.register(shop)


def subrequest(app, parts):
    inner = App()
    stream(inner, parts)

    @app.get("/")
    async def handler(request):
        with parts.ledger.block("handler"):
            response = await aget_response(inner, Request.blank("/"))
            return await response.afreeze()


def shielded(app, parts):
    @app.get("/")
    async def handler(request):
        with parts.ledger.block("handler"):
            with request.lifetime.shield():
                await parts.ledger.pause()
            return "done" if not request.lifetime.is_client_gone else "gone"


BODY = [bytes(SIZE // 4)] * 4
PARTS = [FORM[:10], FORM[10:300_000], FORM[300_000:]]
MULTIPART = {"content-type": "multipart/form-data; boundary=b"}


class Counting(Observer):
    def __init__(self, ledger):
        self.ledger = ledger

    def begin(self, exchange):
        self.ledger.entered["exchange"] += 1
        self.ledger.due["sent"] += 1

    def sent(self, exchange):
        self.ledger.called["sent"] += 1

    def end(self, exchange):
        self.ledger.left["exchange"] += 1


def observed(app, parts, register=middleware):
    app.observe(Counting(parts.ledger))
    register(app, parts)


def route_deadline(app, parts):
    """A deadline that passes at the first await of a handler that waits for it, shielded at first."""
    app.errorhandler(GatewayTimeout)(parts.function("error handler", lambda request, error: ("late", 504)))
    app.middleware(errors_at_yield=True)(parts.generator("middleware"))

    @app.get("/", deadline=1e-9)
    async def handler(request):
        with parts.ledger.block("handler"):
            with request.lifetime.shield():
                await parts.ledger.pause()
                await parts.ledger.pause()
            await asyncio.sleep(60)


def ended(app, parts):
    """A handler that waits for the end of its request's lifetime, and answers."""

    @app.get("/", deadline=1e-9)
    async def handler(request):
        with parts.ledger.block("handler"), request.lifetime.shield():
            return await request.lifetime.ended()


class Case(NamedTuple):
    """A request, its status where nobody breaks it off, and the function that registers what answers it."""

    register: Callable[[App, Parts], object]
    path: str = "/"
    chunks: Sequence[bytes] = ()
    headers: Mapping[str, str] = NONE
    status: int = 200


CASES = {
    "plain": Case(plain),
    "nothing": Case(plain, "/nowhere", (), NONE, 404),
    "body": Case(body, "/", BODY),
    "small body": Case(body, "/", [b"a", b"b"]),
    "lazy body": Case(partial(body, policy="lazy"), "/", BODY),
    "streamed body": Case(streamed_body, "/", BODY),
    "refused body": Case(refused_body, "/", BODY, NONE, 413),
    "upload": Case(answering(lambda parts, request: str(request.files["file"].size), "post"), "/", PARTS, MULTIPART),
    "streamed upload": Case(streamed_upload, "/", PARTS, MULTIPART),
    "middleware": Case(middleware),
    "throwing middleware": Case(partial(middleware, errors_at_yield=True)),
    "middleware before routing": Case(partial(middleware, before_routing=True)),
    "middleware with body": Case(middleware_with_body, "/", BODY),
    "blocking middleware": Case(blocking_middleware),
    "deadline": Case(deadline),
    "passed deadline": Case(passed_deadline),
    "hooks": Case(hooks),
    "dependencies": Case(dependencies, "/dependencies"),
    "failure": Case(failure, "/failure", (), NONE, 409),
    "stream": Case(stream),
    "stream of the other style": Case(answering(lambda parts, request: Response.stream(parts.others.chunks(request)))),
    "stream with dependencies": Case(stream_with_dependencies),
    "replaced stream": Case(replaced_stream),
    "events": Case(answering(lambda parts, request: Response.events(parts.chunks(request), heartbeat=60))),
    "compressed stream": Case(compressed_stream, "/", (), {"accept-encoding": "gzip"}),
    "file": Case(answering(lambda parts, request: Response.file(__file__))),
    "file object": Case(answering(lambda parts, request: Response.file(io.BytesIO(bytes(SIZE))))),
    "mounted app": Case(mounted_app, "/mounted/", BODY),
    "mounted function": Case(mounted_function, "/mounted/", BODY),
    "mounted ASGI app": Case(mounted_asgi_app, "/mounted/", BODY),
    "mounted WSGI app": Case(mounted_wsgi_app, "/mounted/", BODY),
    "blueprint": Case(blueprint, "/shop/"),
    "subrequest": Case(subrequest),
    "shielded": Case(shielded),
    "observed": Case(observed),
    "observed stream": Case(partial(observed, register=stream_with_dependencies)),
    "route deadline": Case(route_deadline, "/", (), NONE, 504),
    "ended": Case(ended),
}

"""Every worker thread that may waits for a loop at once. What the loop needs threads for meanwhile must get them.

Each case is a process of its own: where it fails it has threads that wait for ever.
"""

import textwrap

import pytest

from tests.helpers import zygote
from tests.helpers.rows import rows

DEADLINE = 60.0
"""Seconds after which a process that does not end is killed, and has failed."""

PROGRAM = """
import asyncio, tempfile, threading
from antiphon import App, Limits, Request, Response, get_response
from antiphon.features.compression import Compression
from antiphon.testing import AsyncClient
from antiphon.concurrency.workers import RECEIVING, WORKERS

LARGE = bytes(1 << 20)
FORM = b'--x\\r\\ncontent-disposition: form-data; name="file"; filename="f"\\r\\n\\r\\n' + LARGE + b"\\r\\n--x--\\r\\n"
FORM_DATA = {"content-type": "multipart/form-data; boundary=x"}

app, inner = App(), App()
all_wait = threading.Barrier(WORKERS)
as_many_as_may_wait = threading.Barrier(RECEIVING)

async def answers(method="GET", path="/", **sent):
    async with AsyncClient(app, "asgi", timeout=None) as client:
        requests = (client.request(method, path, **sent) for _ in range(WORKERS))
        return {answer.text for answer in await asyncio.gather(*requests)}

"""


def ends_well(case):
    """Run a case in a process, which must end by itself."""
    program = PROGRAM + textwrap.dedent(case)
    ended = zygote.run("-W", "ignore", "-c", program)
    assert ended.returncode == 0, ended.stderr


BODIES = {
    "for a body that a handler reads": """
        @app.post("/", receive="lazy")
        def handler(request):
            as_many_as_may_wait.wait()
            return str(len(request.body))

        assert asyncio.run(answers("POST", body=LARGE)) == {str(len(LARGE))}
    """,
    "for a body that is streamed and kept": """
        @app.post("/", receive="lazy")
        def handler(request):
            as_many_as_may_wait.wait()
            return str(sum(len(chunk) for chunk in request.stream))

        assert asyncio.run(answers("POST", body=LARGE)) == {str(len(LARGE))}
    """,
    "for a form": """
        @app.post("/", receive="lazy")
        def handler(request):
            as_many_as_may_wait.wait()
            return str(request.files["file"].size)

        assert asyncio.run(answers("POST", body=FORM, headers=FORM_DATA)) == {str(len(LARGE))}
    """,
    "for a body that a hook reads": """
        @app.before_request
        def reads(request):
            as_many_as_may_wait.wait()
            request.text

        @app.post("/")
        def handler(request):
            return str(request.content.size)

        assert asyncio.run(answers("POST", body=LARGE)) == {str(len(LARGE))}
    """,
}

ASKS_INNER = """
        @inner.get("/")
        def handler(request):
            return "inner"

        @app.get("/")
        def ask(request):
            all_wait.wait()
            return get_response(inner, Request.blank("/"))

        assert asyncio.run(answers()) == {"inner"}
    """

ASKED = {
    "for a def handler in async middleware": """
        @inner.middleware
        async def around(request):
            yield

    """
    + ASKS_INNER,
    "for what is called after the response": """
        called = []

        @inner.get("/")
        async def handler(request):
            request.after_response(later)
            request.after_response(lambda: called.append(1))
            return "inner"

        async def later():
            await asyncio.sleep(0)

        @app.get("/")
        def ask(request):
            all_wait.wait()
            return get_response(inner, Request.blank("/"))

        assert asyncio.run(answers()) == {"inner"}
        assert len(called) == WORKERS
    """,
    "for an upload that is read and saved with await": """
        folder = tempfile.TemporaryDirectory()

        @inner.post("/<number>")
        async def handler(request):
            upload = request.files["file"]
            await upload.asave(f"{folder.name}/{request.path_params['number']}")
            return str(len(await upload.aread()))

        @app.post("/")
        def ask(request):
            number = all_wait.wait()
            asked = Request.blank(f"/{number}", method="POST", body=FORM, headers=FORM_DATA)
            return get_response(inner, asked)

        assert asyncio.run(answers("POST", body=b"")) == {str(len(LARGE))}
    """,
    "for a stream that is compressed": """
        inner.use(Compression())

        @inner.get("/")
        async def handler(request):
            async def chunks():
                yield LARGE
            return Response(chunks(), content_type="text/plain")

        @app.get("/")
        def ask(request):
            response = get_response(inner, Request.blank("/", headers={"accept-encoding": "gzip"}))
            assert response.headers["content-encoding"] == "gzip"
            chunks = iter(response.body)
            all_wait.wait()
            return str(len(b"".join(chunks)) > 0)

        assert asyncio.run(answers()) == {"True"}
    """,
    "for a body that a mounted application awaits": """
        @inner.post("/", receive="lazy")
        async def handler(request):
            await request.aload()
            return str(len(request.body))

        def mounted(environ, start_response):
            all_wait.wait()
            return inner(environ, start_response)

        app.mount("", mounted)

        assert asyncio.run(answers("POST", body=LARGE)) == {str(len(LARGE))}
    """,
    "for the first start of an application": """
        @inner.on_startup
        async def first():
            await asyncio.sleep(0)

        @inner.on_startup
        def second():
            pass

    """
    + ASKS_INNER,
}


@pytest.mark.processes
@rows("case", BODIES.values(), ids=BODIES)
def test_they_wait_and_it_comes(case):
    ends_well(case)


@pytest.mark.processes
@rows("case", ASKED.values(), ids=ASKED)
def test_they_ask_and_are_answered(case):
    ends_well(case)


@pytest.mark.processes
def test_a_body_that_a_loop_receives_does_not_wait_for_those_of_threads():
    ends_well("""
        go_on, loaded = asyncio.Event(), asyncio.Event()
        limits = Limits(rate=0)

        @app.post("/", receive="lazy", limits=limits)
        def handler(request):
            as_many_as_may_wait.wait()
            return str(len(request.body))

        @app.post("/async", receive="lazy", limits=limits)
        async def awaits(request):
            await request.aload()
            async for chunk in request.stream:
                assert chunk
            loaded.set()
            return "loaded"

        async def main():
            waiting = asyncio.Semaphore(0)

            async def slow():
                waiting.release()
                await go_on.wait()
                yield LARGE

            async with AsyncClient(app, "asgi", timeout=None) as client:
                uploads = [asyncio.create_task(client.post("/", body=slow())) for _ in range(RECEIVING)]
                for _ in uploads:
                    await waiting.acquire()
                uploads.append(asyncio.create_task(client.post("/async", body=LARGE)))
                await loaded.wait()
                go_on.set()
                return {answer.text for answer in await asyncio.gather(*uploads)}

        assert asyncio.run(main()) == {str(len(LARGE)), "loaded"}
    """)

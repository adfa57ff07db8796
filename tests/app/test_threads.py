"""The threads on which the parts of a request run: nobody waits for a thread of another request."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from antiphon import App, Response
from antiphon.concurrency.workers import WORKERS
from antiphon.features.compression import Compression
from antiphon.testing import AsyncClient, Client
from tests.helpers.rows import rows

LARGE = b"x" * (1 << 20)


def before(app, meet):
    app.before_request(lambda request: meet())


def after(app, meet):
    app.after_request(lambda request, response: meet())


def around(app, meet):
    @app.middleware
    def both(request):
        meet()
        yield
        meet()


def of_one_request(app, meet):
    @app.before_request
    def register(request):
        request.on_response(lambda request, response: meet())


@rows("build", [before, after, around, of_one_request])
def test_sync_hooks_around_async_handlers_run_side_by_side_over_wsgi(build):
    app, meeting = App(), threading.Barrier(2, timeout=10)

    def meet():
        meeting.wait()

    build(app, meet)

    @app.get("/")
    async def handler(request):
        await asyncio.sleep(0)
        return "answered"

    def ask(_):
        return Client(app, "wsgi").get("/").text

    with ThreadPoolExecutor(2) as pool:
        assert [*pool.map(ask, range(2))] == ["answered"] * 2


def from_a_file(path):
    async def answer(request):
        return Response.file(path)

    return answer


def from_an_open_file(path):
    async def answer(request):
        return Response.file(open(path, "rb"))

    return answer


def in_memory(path):
    async def answer(request):
        return Response(LARGE, content_type="text/plain")

    return answer


def in_large_chunks(path):
    async def answer(request):
        async def chunks():
            yield LARGE

        return Response(chunks(), content_type="text/plain")

    return answer


@rows("coding", ["identity", "gzip"])
@rows("answer", [from_a_file, from_an_open_file, in_memory, in_large_chunks])
def test_files_and_compression_of_async_pages_wait_for_no_dependency(tmp_path, answer, coding):
    app, go_on = App(), threading.Event()
    app.use(Compression())
    (tmp_path / "large.txt").write_bytes(LARGE)
    app.get("/page")(answer(tmp_path / "large.txt"))

    @app.get("/slow")
    def slow(request):
        assert go_on.wait(10)
        return "slow"

    async def main():
        async with AsyncClient(app, "asgi", timeout=None) as client:
            waiting = [asyncio.create_task(client.get("/slow")) for _ in range(WORKERS + 1)]
            await asyncio.sleep(0)
            page = await client.get("/page", headers={"accept-encoding": coding})
            go_on.set()
            return page, [answer.text for answer in await asyncio.gather(*waiting)]

    page, others = asyncio.run(asyncio.wait_for(main(), 20))
    assert page.headers.get("content-encoding", "identity") == coding
    assert coding == "gzip" or page.body == LARGE
    assert others == ["slow"] * (WORKERS + 1)

import asyncio
import gzip
import os
import random
import sys
import threading
import zlib
from contextvars import Context
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.body.content import Content, NotLoadedError
from antiphon.concurrency.background import background_loop
from antiphon.http.errors import (
    BadRequest,
    ClientDisconnected,
    ContentTooLarge,
    NotImplementedByServer,
    UnsupportedMediaType,
)
from antiphon.http.limits import Limits
from antiphon.uploads import temporary_file
from antiphon.uploads.spool import THRESHOLD
from antiphon.uploads.temporary_file import SLOW, WriteTimes
from tests.helpers.open_files import files_in, is_without_files
from tests.helpers.request_bodies import in_chunks
from tests.helpers.rows import rows
from tests.helpers.scripted_heads import DELIVERIES, Delivery, ScriptedHead

pytestmark = pytest.mark.axes("way")

KIB, MIB = 1 << 10, 1 << 20
LIMITS = Limits()
LARGE = random.Random(7).randbytes(3 * MIB)


@pytest.fixture(params=DELIVERIES)
def way(request):
    return Delivery(request.param)


def whole(content):
    chunks = []
    while chunk := content.read_at(sum(map(len, chunks))):
        chunks.append(chunk)
    return b"".join(chunks)


def run_in_background(coroutine):
    """Run a coroutine on the background loop, and return its result."""
    return background_loop().run(coroutine, Context())


linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at what the process has open")


class TestWhatIsSmall:
    @rows("size", [2, 60, 64 * KIB, 64 * KIB + 1, 512 * KIB])
    @rows("declares", [True, False], ids=["declared", "undeclared"])
    def test_is_kept_as_the_very_chunk_that_came(self, way, size, declares):
        chunk = bytes(size)
        head = way.head(chunk, content_length=size) if declares else way.head(chunk)
        content = Content(head)
        way.run(way.loading(content, LIMITS))
        assert content.data is chunk
        assert content.read_all() is chunk
        assert content.in_memory
        assert content.is_complete
        assert (content.size, content.received) == (size, size)

    def test_is_asked_for_once_where_its_length_is_known(self, way):
        head = way.head(b"abc", b"next request", content_length=3)
        content = Content(head)
        for _ in range(3):
            way.run(way.loading(content, LIMITS))
        assert (content.data, head.asked) == (b"abc", 1)

    def test_of_no_bytes_is_not_asked_for(self, way):
        head = way.head(b"next request", content_length=0)
        content = Content(head)
        way.run(way.loading(content, LIMITS))
        assert (content.data, head.asked) == (b"", 0)

    def test_that_surely_is_not_there_is_not_asked_for(self, way):
        head = way.head(b"next request", has_body=False)
        content = Content(head)
        assert way.run(way.advancing(content, LIMITS)) == b""
        way.run(way.loading(content, LIMITS))
        assert (content.data, head.asked) == (b"", 0)

    @given(st.lists(st.binary(min_size=1, max_size=9), max_size=9), st.sampled_from([*DELIVERIES]), st.booleans())
    def test_is_what_came_however_it_came(self, chunks, name, declares):
        way, data = Delivery(name), b"".join(chunks)
        content = Content(way.head(*chunks, content_length=len(data)) if declares else way.head(*chunks))
        way.run(way.loading(content, LIMITS))
        assert content.data == data == whole(content)


@linux
class TestWhatIsLarge:
    @rows(
        "size, declared, in_file",
        [
            (THRESHOLD, {}, False),
            (THRESHOLD + 1, {}, True),
            (3 * MIB, {}, True),
            (3 * MIB, {"content_length": 3 * MIB}, False),  # it may be read as a whole
        ],
    )
    @rows("chunk", [50_000, 4 * MIB])
    def test_is_kept_in_one_file_without_a_name(self, way, tmp_path, size, declared, in_file, chunk):
        data = LARGE[:size]
        content = Content(way.head(*in_chunks(data, chunk), **declared))
        content.folder = tmp_path
        way.run(way.loading(content, LIMITS))
        opened = files_in(tmp_path)
        assert (not content.in_memory) == in_file == bool(opened)
        assert len(opened) == in_file
        assert not os.listdir(tmp_path)
        assert whole(content) == data
        assert content.size == size
        content.close()
        assert is_without_files(tmp_path)

    def test_of_no_bytes_may_be_said_to_be_coded_anyhow(self, way):
        for has_body in (False, True):  # over HTTP/2, which may not say it ahead
            content = Content(way.head(has_body=has_body, content_encoding="compress"))
            way.run(way.loading(content, LIMITS))
            assert (content.data, content.is_complete) == (b"", True)

    def test_of_undeclared_bytes_in_an_unknown_coding_is_a_415_each_time(self, way):
        content = Content(way.head(b"ab", content_encoding="compress"))
        for _ in range(2):
            with pytest.raises(UnsupportedMediaType):
                way.run(way.loading(content, LIMITS))

    def test_frees_its_file_with_its_last_user(self, way, tmp_path):
        content = Content(way.head(*in_chunks(LARGE, 64 * KIB)))
        content.folder = tmp_path
        way.run(way.loading(content, LIMITS))
        assert files_in(tmp_path)
        del content
        assert is_without_files(tmp_path)

    def test_that_cannot_be_kept_fails_again_in_the_same_way_and_leaves_no_file(self, way, tmp_path):
        content = Content(way.head(*in_chunks(LARGE, 64 * KIB)))
        content.folder = tmp_path / "missing"
        for _ in range(3):
            with pytest.raises(FileNotFoundError):
                way.run(way.loading(content, LIMITS))
        with pytest.raises(FileNotFoundError):
            content.check_kept(0)
        assert not content.is_complete

    @pytest.mark.parametrize("error", [BadRequest("broken"), ClientDisconnected("gone"), ContentTooLarge("much")])
    def test_leaves_no_file_when_it_breaks_off(self, way, tmp_path, error):
        content = Content(way.head(*in_chunks(LARGE, 64 * KIB), error))
        content.folder = tmp_path
        with pytest.raises(type(error)):
            way.run(way.loading(content, LIMITS))
        assert len(files_in(tmp_path)) == 1
        content.close()
        assert is_without_files(tmp_path)

    @linux
    @rows("is_behind", [False, True], ids=["keeps up", "falls behind"])
    def test_is_written_by_the_loop_as_long_as_the_disk_keeps_up(self, monkeypatch, tmp_path, is_behind):
        times = WriteTimes()
        times.add(0.0)
        monkeypatch.setattr("antiphon.uploads.spool.WRITE_TIMES", times)
        writers = []

        def write_all(descriptor, data, /, write=temporary_file.write_all):
            writers.append(threading.current_thread() is threading.main_thread())
            return write(descriptor, data)

        monkeypatch.setattr(temporary_file, "write_all", write_all)
        monkeypatch.setattr("antiphon.uploads.spool.monotonic", count(step=2 * SLOW * is_behind).__next__)
        content = Content(Delivery("at once").head(*in_chunks(LARGE, 64 * KIB)))
        content.folder = tmp_path
        Delivery("at once").run(content.load(LIMITS))
        assert content.read_all() == LARGE
        assert not writers[0]
        assert len(writers) > 4
        assert any(writers) is not is_behind

    def test_lets_the_loop_pass_though_all_of_it_is_there_already(self, monkeypatch, tmp_path):
        times = WriteTimes()
        times.add(0.0)
        monkeypatch.setattr("antiphon.uploads.spool.WRITE_TIMES", times)
        monkeypatch.setattr("antiphon.uploads.spool.monotonic", lambda: 0.0)
        sizes = []

        async def load():
            content = Content(Delivery("at once").head(*in_chunks(LARGE * 4, 64 * KIB)))
            content.folder = tmp_path

            async def watch():
                while not content.is_complete:
                    sizes.append(content.size)
                    await asyncio.sleep(0)

            watching = asyncio.create_task(watch())
            await content.load(LIMITS)
            sizes.append(content.size)
            await watching

        asyncio.run(load())
        assert max(after - before for before, after in pairwise(sizes)) <= 2 * MIB

    @pytest.mark.parametrize("way", [Delivery("blocking"), Delivery("at once")], ids=["blocking", "at once"])
    def test_that_comes_in_very_small_chunks_takes_time_in_proportion(self, way):
        # Were what has come put together for each chunk, this would take minutes.
        content = Content(way.head(*[b"x"] * 20_000))

        async def stream():
            offset = 0
            while chunk := content.read_at(offset) or await content.advance(LIMITS):
                offset += len(chunk)
            return offset

        assert way.run(stream()) == 20_000


class TestLengths:
    def test_too_short_is_a_400(self, way):
        content = Content(way.head(b"ab", content_length=3))
        for _ in range(2):
            with pytest.raises(BadRequest, match="ended after 2 bytes, but its Content-Length is 3"):
                way.run(way.loading(content, LIMITS))

    def test_too_long_is_a_400_before_any_of_what_is_too_much_is_given(self, way):
        content = Content(way.head(b"ab", b"cd", content_length=3))
        assert way.run(way.advancing(content, LIMITS)) == b"ab"
        for _ in range(2):
            with pytest.raises(BadRequest, match="has 4 bytes, but its Content-Length is 3"):
                way.run(way.advancing(content, LIMITS))
        assert whole(content) == b"ab"

    @rows(
        "coding, length, error, detail",
        ("chunked", {"content_length": 2}, BadRequest, "both a Content-Length and a Transfer-Encoding"),
        ("chunked, Chunked", {}, BadRequest, "chunked twice"),
        ("gzip, chunked", {}, NotImplementedByServer, "Transfer-Encoding"),
        ("gzip", {}, NotImplementedByServer, "Transfer-Encoding"),
        ("identity", {}, NotImplementedByServer, "Transfer-Encoding"),
    )
    def test_of_other_transfer_codings_than_chunked_alone_is_refused(self, way, coding, length, error, detail):
        head = way.head(b"ab", transfer_encoding=coding, **length)
        for _ in range(2):
            with pytest.raises(error, match=detail):
                way.run(way.loading(Content(head), LIMITS))
        assert head.asked == 0

    def test_of_chunks_may_be_spelled_in_any_case(self, way):
        content = Content(way.head(b"ab", transfer_encoding=" Chunked "))
        way.run(way.loading(content, LIMITS))
        assert whole(content) == b"ab"

    def test_of_chunks_is_counted(self, way):
        head = way.head(b"abc", b"def", b"never", transfer_encoding="chunked")
        with pytest.raises(ContentTooLarge) as refused:
            way.run(way.loading(Content(head), Limits(body=5)))
        assert refused.value.members == {"limit": "body", "maximum": 5}
        assert head.asked == 2

    @rows("size", [1, 3, 7, 8])
    def test_of_chunks_is_given_up_to_the_limit_wherever_they_end(self, way, size):
        content = Content(way.head(*in_chunks(b"abcdefgh", size)))
        for limits, kept in ((Limits(body=5), b"abcde"), (Limits(body=6), b"abcdef")):
            with pytest.raises(ContentTooLarge):
                way.run(way.loading(content, limits))
            assert whole(content) == kept


class TestGoingOn:
    def test_when_the_limit_was_raised(self, way):
        content = Content(way.head(b"abc", b"def", b"ghi"))
        for limit in (1, 4, 7, 8):
            with pytest.raises(ContentTooLarge):
                way.run(way.loading(content, Limits(body=limit)))
        way.run(way.loading(content, LIMITS))
        assert content.data == b"abcdefghi"

    @rows("declared", [{"content_length": 4}, {}], ids=["declared", "undeclared"])
    def test_after_a_failure_of_the_server(self, way, declared):
        content = Content(way.head(b"ab", TimeoutError(), b"c", TimeoutError(), b"d", **declared))
        for _ in range(2):
            with pytest.raises(TimeoutError):
                way.run(way.loading(content, LIMITS))
        assert isinstance(content.failure, TimeoutError)
        way.run(way.loading(content, LIMITS))
        assert content.data == b"abcd"

    def test_after_the_task_was_cancelled(self):
        content = Content(ScriptedHead(b"ab", 60.0, b"cd"))

        async def give_up():
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await content.load(LIMITS)
            content.head.chunks = [b"ef"]
            await content.load(LIMITS)

        asyncio.run(give_up())
        assert content.data == b"abef"

    def test_within_a_limit_that_was_lowered_is_not_possible(self, way):
        content = Content(way.head(b"abc", b"def"))
        way.run(way.loading(content, LIMITS))
        with pytest.raises(ContentTooLarge):
            way.run(way.loading(content, Limits(body=5)))
        assert content.data == b"abcdef"


class TestTwoAtOnce:
    def test_are_told_so(self):
        content = Content(ScriptedHead(b"ab", 0.05, b"cd"))

        async def both():
            first = asyncio.create_task(content.load(LIMITS))
            await asyncio.sleep(0.01)
            for second in (content.load(LIMITS), content.advance(LIMITS), content.aread_at(0)):
                with pytest.raises(RuntimeError, match="one task or thread at a time"):
                    await second
            await first

        asyncio.run(both())
        assert content.data == b"abcd"

    def test_also_from_threads(self):
        async def both():
            content = Content(ScriptedHead(b"ab", 0.2, b"cd"))
            content.loop = asyncio.get_running_loop()
            first = asyncio.create_task(asyncio.to_thread(content.load_on_thread, LIMITS))
            await asyncio.sleep(0.05)
            with pytest.raises(RuntimeError, match="one task or thread at a time"):
                await asyncio.to_thread(content.load_on_thread, LIMITS)
            await first
            return content.data

        assert asyncio.run(both()) == b"abcd"


class TestReadWhileItIsReceived:
    def test_gives_what_has_come_though_more_of_it_comes_meanwhile(self, tmp_path):
        """Where threads read and the loop receives: each has the same bytes."""
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)

        async def read(content):
            offset = 0
            while offset < len(LARGE) - 64 * KIB:
                try:
                    chunk = await content.aread_at(offset)
                except RuntimeError as error:
                    assert "being received" in str(error)  # noqa: PT017 - it may be, or not
                    chunk = b""
                assert chunk == LARGE[offset : offset + len(chunk)]
                offset += len(chunk)
                await asyncio.sleep(0)

        async def main():
            content = Content(ScriptedHead(*in_chunks(LARGE, 3001)))
            content.folder = tmp_path
            readers = [asyncio.create_task(read(content)) for _ in range(3)]
            while await content.advance(Limits()):
                await asyncio.sleep(0)
            await asyncio.gather(*readers)
            return content

        try:
            assert whole(asyncio.run(main())) == LARGE
        finally:
            sys.setswitchinterval(interval)


class TestUnkept:
    def unkept(self, head):
        content = Content(head)
        content.is_kept = False
        return content

    @linux
    def test_passes_by(self, way, tmp_path):
        content = self.unkept(way.head(*in_chunks(LARGE, 64 * KIB)))
        content.folder = tmp_path
        passed = 0
        while chunk := way.run(way.advancing(content, LIMITS)):
            passed += len(chunk)
            assert content.size == 0
        assert passed == len(LARGE)
        assert is_without_files(tmp_path)

    def test_is_gone_then(self, way):
        content = self.unkept(way.head(b"ab", b"cd"))
        way.run(way.advancing(content, LIMITS))
        for _ in range(2):
            with pytest.raises(RuntimeError, match=r"2 bytes .* are gone: read the whole body before"):
                way.run(way.loading(content, LIMITS))
        with pytest.raises(RuntimeError, match="are gone"):
            content.check_kept(0)
        content.check_kept(2)
        assert way.run(way.advancing(content, LIMITS)) == b"cd"

    def test_lets_the_loop_pass_between_the_chunks_of_what_is_coded(self, monkeypatch):
        monkeypatch.setattr("antiphon.concurrency.timers.monotonic", count(1).__next__)

        async def main():
            content = Content(ScriptedHead(gzip.compress(bytes(8 * MIB)), content_encoding="gzip"))
            content.is_kept = False
            passes = 0

            async def other():
                nonlocal passes
                while True:
                    passes += 1
                    await asyncio.sleep(0)

            task = asyncio.create_task(other())
            chunks = 0
            while await content.advance(LIMITS):
                chunks += 1
            task.cancel()
            return passes, chunks

        passes, chunks = asyncio.run(main())
        assert chunks > 100
        assert passes >= chunks // 2 - 1  # by this clock each slice of time lasts for a chunk

    def test_loses_nothing_to_a_cancellation_that_is_caught(self, monkeypatch):
        monkeypatch.setattr("antiphon.concurrency.timers.monotonic", count(1).__next__)

        async def main():
            content = Content(
                ScriptedHead(*in_chunks(gzip.compress(LARGE), 70_000), waits=True, content_encoding="gzip")
            )
            content.is_kept = False
            taken = cancelled = 0
            while not content.is_complete:
                task = asyncio.create_task(content.advance(LIMITS))
                await asyncio.sleep(0)
                cancelled += task.cancel()
                try:
                    chunk = await task
                except asyncio.CancelledError:
                    chunk = await content.advance(LIMITS)
                assert chunk == LARGE[taken : taken + len(chunk)]
                taken += len(chunk)
            return taken, cancelled

        taken, cancelled = asyncio.run(main())
        assert taken == len(LARGE)
        assert cancelled > 20

    def test_is_kept_if_it_is_loaded_before(self, way):
        content = self.unkept(way.head(b"ab", b"cd"))
        way.run(way.loading(content, LIMITS))
        content.check_kept(0)
        assert content.data == whole(content) == b"abcd"


CODINGS = {"gzip": gzip.compress, "deflate": zlib.compress}


@rows("coding", CODINGS)
class TestCoded:
    @rows("size", [1, 100, 10_000])
    def test_is_decoded_as_it_arrives(self, way, coding, size):
        coded = CODINGS[coding](LARGE[:2000])
        content = Content(way.head(*in_chunks(coded, size), content_encoding=coding, content_length=len(coded)))
        way.run(way.loading(content, LIMITS))
        assert content.data == LARGE[:2000]
        assert (content.length, content.received, content.size) == (len(coded), len(coded), 2000)
        assert content.is_decoded

    def test_is_no_bomb(self, way, coding):
        bomb = CODINGS[coding](bytes(32 * MIB))
        content = Content(way.head(*in_chunks(bomb, 1000), content_encoding=coding))
        for limits in (Limits(body=MIB), LIMITS):  # what was being decoded is lost
            with pytest.raises(ContentTooLarge) as refused:
                way.run(way.loading(content, limits))
            assert refused.value.members == {"limit": "body", "maximum": MIB}
        content.close()

    def test_is_bounded_as_it_was_sent_too(self, way, coding):
        coded = CODINGS[coding](LARGE[:2000])
        head = way.head(coded, content_encoding=coding, content_length=len(coded))
        with pytest.raises(ContentTooLarge):
            way.run(way.loading(Content(head), Limits(body=1999)))
        assert head.asked == 0

    @rows("size", [10, 700, 2000])
    def test_is_a_413_as_it_was_sent_wherever_its_fault_is(self, way, coding, size):
        bomb = CODINGS[coding](bytes(2 * MIB))
        for sent in (b"\xff" * 2000, bomb[:1000] + LARGE[:1000], bomb):
            content = Content(way.head(*in_chunks(sent, size), content_encoding=coding))
            for _ in range(2):
                with pytest.raises(ContentTooLarge, match="body is longer than the 1500 bytes"):
                    way.run(way.loading(content, Limits(body=1500)))

    @rows("declares", [True, False])
    def test_is_a_400_where_it_was_cut_off(self, way, coding, declares):
        coded = CODINGS[coding](LARGE[:2000])[:-1]
        declared = {"content_length": len(coded)} if declares else {}
        content = Content(way.head(*in_chunks(coded, 100), content_encoding=coding, **declared))
        for _ in range(2):
            with pytest.raises(BadRequest, match="ends before it is complete"):
                way.run(way.loading(content, LIMITS))
        assert not content.is_complete

    def test_is_a_400_where_it_is_none(self, way, coding):
        content = Content(way.head(b"\xff" * 20, b"more", content_encoding=coding))
        for _ in range(2):
            with pytest.raises(BadRequest, match=f"not valid {coding}"):
                way.run(way.loading(content, LIMITS))


def test_an_unknown_coding_is_a_415_before_a_byte_is_read(way):
    head = way.head(b"ab", content_encoding="compress", content_length=2)
    content = Content(head)
    for _ in range(2):
        with pytest.raises(UnsupportedMediaType) as refused:
            way.run(way.loading(content, LIMITS))
        assert "gzip" in dict(refused.value.headers)["accept-encoding"]
    assert head.asked == 0


class TestDiscarding:
    def test_receives_what_is_left(self, way):
        head = way.head(b"ab", b"cd", b"ef", content_length=6)
        content = Content(head)
        with pytest.raises(ContentTooLarge):
            way.run(way.loading(content, Limits(body=5)))
        way.run(content.discard())
        if head.blocks:  # the head was enough to refuse it, and its client might hold up a server's thread
            assert head.asked == 0
            return
        assert (head.chunks, head.asked) == ([], 3)
        with pytest.raises(ContentTooLarge):
            way.run(way.loading(content, LIMITS))

    def test_asks_for_no_more_than_was_declared(self, way):
        head = way.head(b"ab", b"next request", content_length=2)
        way.run(Content(head).discard())
        assert head.chunks == [b"next request"]

    def test_happens_once(self, way):
        head = way.head(b"ab", b"")
        content = Content(head)
        way.run(content.discard())
        head.chunks.append(b"next request")
        way.run(content.discard())
        assert head.chunks == [b"next request"]

    def test_is_not_for_one_that_waits_to_be_asked_for(self, way):
        head = way.head(b"ab", content_length=2, expect="100-Continue")
        way.run(Content(head).discard())
        assert head.asked == 0

    def test_is_for_one_that_was_asked_for(self, way):
        head = way.head(b"ab", b"cd", content_length=4, expect="100-continue")
        content = Content(head)
        way.run(way.advancing(content, LIMITS))
        way.run(content.discard())
        assert head.chunks == []

    @pytest.mark.parametrize("error", [ClientDisconnected("gone"), TimeoutError(), ValueError("a server's own")])
    def test_ends_with_whatever_breaks_it_off(self, way, error):
        head = way.head(b"ab", error, b"cd")
        way.run(Content(head).discard())
        assert head.chunks == [b"cd"]

    def test_has_an_end(self, way):
        class Endless(ScriptedHead):
            async def next_chunk(self):
                self.asked += 1
                return LARGE

        head = Endless(blocks=way.head().blocks)
        way.run(Content(head).discard())
        assert head.asked == 22

    def test_lets_a_cancellation_through(self):
        async def cancel():
            task = asyncio.create_task(Content(ScriptedHead(b"ab", 60.0)).discard())
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(cancel())


class TestOnAThread:
    @rows("blocks, run", [(True, run_in_background), (False, asyncio.run)])
    def test_is_not_possible_on_the_loop_of_its_request(self, blocks, run):
        content = Content(ScriptedHead(b"ab", blocks=blocks))

        async def handler():
            for load in (content.load_on_thread, content.advance_on_thread):
                with pytest.raises(NotLoadedError):
                    load(LIMITS)

        run(handler())
        assert content.head.asked == 0


class TestFileObject:
    @pytest.mark.parametrize("size", [0, 1000, 3 * MIB])
    def test_has_all_bytes_each_time(self, way, size):
        content = Content(way.head(*in_chunks(LARGE[:size], 64 * KIB)))
        way.run(way.loading(content, LIMITS))
        assert [content.open().read() for _ in range(2)] == [LARGE[:size]] * 2
        content.close()


class TestShared:
    @rows("size", [1000, 3 * MIB])
    @rows("coding", ["gzip", None])
    def test_stays_when_the_other_is_closed(self, way, coding, size):
        sent = gzip.compress(LARGE[:size]) if coding else LARGE[:size]
        head = way.head(*in_chunks(sent, 64 * KIB), **({"content_encoding": coding} if coding else {}))
        content = Content(head)
        way.run(way.loading(content, LIMITS))
        shared = content.share(head)
        content.close()
        way.run(way.loading(shared, LIMITS))
        assert whole(shared) == LARGE[:size]
        assert (shared.received, shared.size, shared.is_decoded) == (len(sent), size, bool(coding))
        shared.close()

    @pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=B", "text/plain"])
    def test_has_the_form_that_its_own_head_declares(self, way, content_type):
        part = b'--B\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
        form = b"%b%b--B--" % (part % (b"f", b"", bytes(700)), part % (b"g", b'; filename="g"', bytes(2 * MIB)))
        content = Content(way.head(*in_chunks(form, 64 * KIB), content_type="multipart/form-data; boundary=B"))
        way.run(way.loading(content, LIMITS))
        assert not content.in_memory
        shared = content.share(way.head(content_type=content_type))
        if content_type == "text/plain":
            with pytest.raises(BadRequest, match="needs the Content-Type"):
                shared.form(content_type, LIMITS, None)
        else:
            assert len(shared.form(content_type, LIMITS, None).fields["f"]) == 700


class TestWhatIsKnownBefore:
    @rows(
        "options, is_empty, is_small",
        ({"content_length": 0}, True, True), ({"content_length": 9}, False, True),
        ({"content_length": 10}, False, False),
        ({"content_length": 9, "content_encoding": "gzip"}, False, False),
        ({"content_length": "nine"}, False, False), ({}, False, False), ({"has_body": False}, True, False),
    )  # fmt: skip
    def test_is_told_by_the_head(self, options, is_empty, is_small):
        content = Content(ScriptedHead(b"never", **options))
        assert (content.is_empty, content.is_small(9)) == (is_empty, is_small)

    @rows("data", [b"", b"ab"])
    def test_is_what_has_come_when_all_has(self, data):
        assert Content(ScriptedHead(content_length=5), data).is_empty == (not data)


def test_a_head_that_waits_though_it_says_that_it_blocks_is_an_error():
    class Liar(ScriptedHead):
        async def receive(self):
            await asyncio.sleep(0)

    with pytest.raises(AssertionError):
        Content(Liar(blocks=True)).load_on_thread(LIMITS)

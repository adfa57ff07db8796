"""The middleware that profiles each request, beside Werkzeug's own."""

import io
import pstats
import re
from cProfile import Profile
from pathlib import Path

import werkzeug.middleware.profiler as original

from antiphon.dialects.werkzeug.middleware import profiler
from antiphon.dialects.werkzeug.test import create_environ, run_wsgi_app
from tests.helpers.rows import rows


class Chunks(list):
    closed = False

    def close(self):
        self.closed = True


def application(answer):
    def app(environ, start_response):
        start_response("201 CREATED", [("X-A", "1")])(b"written, ")
        return answer

    return app


EITHER = rows("library", [original, profiler], ids=["original", "dialect"])


@EITHER
def test_the_answer_is_passed_on_and_closed(library):
    answer = Chunks([b"a", b"b"])
    middleware = library.ProfilerMiddleware(application(answer), stream=None)
    body, status, headers = run_wsgi_app(middleware, create_environ("/"))
    assert (b"".join(body), status, headers.to_wsgi_list()) == (b"written, ab", "201 CREATED", [("X-A", "1")])
    assert answer.closed


@EITHER
def test_a_report_tells_the_path_and_what_was_called(library):
    stream = io.StringIO()
    middleware = library.ProfilerMiddleware(application([]), stream, ("cumulative", "calls"), ("test_profiler", 1))
    run_wsgi_app(middleware, create_environ("/a/b"))
    assert "PATH: '/a/b'" in stream.getvalue()
    assert re.search(r"test_profiler\.py:\d+\(app\)", stream.getvalue())


@EITHER
def test_a_file_is_left_of_each_request(library, tmp_path):
    middleware = library.ProfilerMiddleware(application([]), None, profile_dir=str(tmp_path))
    for path in ("/", "/a/b/"):
        run_wsgi_app(middleware, create_environ(path))
    first, second = sorted(tmp_path.iterdir(), key=lambda path: path.name, reverse=True)
    assert re.fullmatch(r"GET\.root\.\d+ms\.\d+\.prof", first.name)
    assert re.fullmatch(r"GET\.a\.b\.\d+ms\.\d+\.prof", second.name)
    assert pstats.Stats(str(first)).total_calls > 0


def test_a_file_is_named_after_the_milliseconds(tmp_path, monkeypatch):
    clock = iter([5.0, 7.25])
    monkeypatch.setattr(profiler.time, "perf_counter", lambda: next(clock))
    options = {"profile_dir": str(tmp_path), "filename_format": "{elapsed:g}.prof"}
    run_wsgi_app(profiler.ProfilerMiddleware(application([]), None, **options), create_environ("/"))
    assert [path.name for path in tmp_path.iterdir()] == ["2250.prof"]


@EITHER
def test_a_function_may_name_the_file(library, tmp_path, monkeypatch):
    def name(environ):
        assert environ["werkzeug.profiler"]["elapsed"] >= 0
        return f"{environ['werkzeug.profiler']['time']:.0f}.prof"

    files = []
    monkeypatch.setattr(Profile, "dump_stats", lambda profile, file: files.append(file))
    middleware = library.ProfilerMiddleware(application([]), None, profile_dir=str(tmp_path), filename_format=name)
    run_wsgi_app(middleware, create_environ("/"))
    [file] = files
    assert isinstance(file, str)  # as programs that replace the method read it
    assert re.fullmatch(r"\d+\.prof", Path(file).name)

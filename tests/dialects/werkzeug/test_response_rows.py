"""What the documents say of a response, where no comparison with Werkzeug shows it."""

import pickle
from io import BytesIO

import pytest

from antiphon.dialects.werkzeug import wrappers, wsgi
from antiphon.dialects.werkzeug.exceptions import NotFound
from antiphon.dialects.werkzeug.wrappers import BaseResponse, Response
from antiphon.dialects.werkzeug.wsgi import FileWrapper
from tests.dialects.werkzeug.environs import called, environ
from tests.helpers.rows import rows


@pytest.mark.feature("kay-096", "kay-097")
def test_what_is_passed_through_is_given_as_it_is():
    assert Response().direct_passthrough is False
    wrapped = wsgi.wrap_file(environ(), BytesIO(b"content"))
    assert isinstance(wrapped, FileWrapper)
    response = Response(wrapped, direct_passthrough=True)
    assert response.get_app_iter(environ()) is wrapped
    assert b"".join(wrapped) == b"content"
    with pytest.raises(RuntimeError, match="direct passthrough"):
        response.get_data()


@pytest.mark.feature("kay-097")
def test_the_wrapper_of_the_server_wraps():
    wrapped = wsgi.wrap_file(environ(wsgi__file_wrapper=lambda file, size: ("wrapped", file, size)), "file", 5)
    assert wrapped == ("wrapped", "file", 5)


@pytest.mark.feature("kay-098")
@rows(
    "mixin, names",
    ("ETagResponseMixin", ["cache_control", "accept_ranges", "content_range"]),
    ("ResponseStreamMixin", ["stream"]),
    ("CommonResponseDescriptorsMixin", ["mimetype", "location", "age", "vary", "allow", "retry_after"]),
    ("WWWAuthenticateMixin", ["www_authenticate"]),
)
def test_a_response_is_made_of_parts_that_users_may_put_together(mixin, names):
    part = getattr(wrappers, mixin)
    assert issubclass(Response, part)
    own = type("Own", (part, BaseResponse), {})("text")
    for name in names:
        assert hasattr(own, name)
    assert called(own, environ())[2] == b"text"


@pytest.mark.feature("kay-109", "kay-110")
def test_closing_closes_the_body_and_calls_what_was_registered():
    events = []

    class Body(list):
        def close(self):
            events.append("body")

    response = Response(Body([b"a"]))

    @response.call_on_close
    def after():
        events.append("after")

    assert callable(after)
    called(response, environ())
    assert events == ["body", "after"]
    response.close()
    assert events == ["body", "after"] * 2


@pytest.mark.feature("kay-119")
def test_data_is_the_whole_body():
    response = Response(chunk for chunk in ("\u00fc", b"b"))
    assert response.is_streamed
    assert response.data == "\u00fcb".encode()
    assert response.is_sequence
    assert response.get_data(as_text=True) == "\u00fcb"
    response.data = "new"
    assert (response.response, response.headers["Content-Length"]) == ([b"new"], "3")


@pytest.mark.feature("kay-120", "kay-145")
def test_a_stream_may_be_kept_from_being_read_unasked():
    assert Response.implicit_sequence_conversion
    own = type("Own", (Response,), {"implicit_sequence_conversion": False})
    response = own(iter(["a", "b"]))
    with pytest.raises(RuntimeError, match="make_sequence"):
        response.get_data()
    assert response.calculate_content_length() is None
    response.make_sequence()
    assert response.response == [b"a", b"b"]
    assert response.data == b"ab"


@pytest.mark.feature("kay-145")
def test_what_a_sequence_was_made_of_is_closed_with_the_response():
    def chunks():
        try:
            yield b"a"
        finally:
            closed.append(True)

    closed = []
    source = chunks()
    response = Response(source)
    response.make_sequence()
    source = None
    response.close()
    assert closed == [True]


@pytest.mark.feature("kay-125", "kay-161")
def test_a_response_is_made_one_of_another_class():
    own = type("Own", (Response,), {})
    response = Response("text")
    assert own.force_type(response) is response
    assert type(response) is own
    assert type(own.force_type(NotFound().get_response())) is own


@pytest.mark.feature("kay-127")
def test_freezing_makes_it_ready_to_be_pickled():
    response = Response(chunk for chunk in ("\u00fc", "b"))
    response.freeze()
    assert response.response == ["\u00fc".encode(), b"b"]
    assert response.headers["Content-Length"] == "3"
    copied = pickle.loads(pickle.dumps(response))
    assert called(copied, environ()) == called(response, environ())


@pytest.mark.feature("kay-128")
def test_from_app_runs_an_application_that_begins_late():
    def application(env, start_response):
        write = start_response("200 OK", [("X-A", "b")])
        write(b"written ")
        yield b"and "
        write(b"late ")
        yield b"given"

    response = Response.from_app(application, environ())
    assert response.data.startswith(b"written and ")
    assert response.data.endswith(b"given")


@pytest.mark.feature("kay-137", "kay-138")
def test_whether_a_body_is_at_hand():
    for body in (["a"], ("a",), "a"):
        assert Response(body).is_sequence
        assert not Response(body).is_streamed
    assert not Response(iter("a")).is_sequence
    assert Response(iter("a")).is_streamed
    assert not Response({"a": 1}).is_streamed


@pytest.mark.feature("kay-139", "kay-182")
def test_text_is_encoded_in_the_charset():
    assert list(Response(["\u00fc", b"b"]).iter_encoded()) == ["\u00fc".encode(), b"b"]
    own = type("Own", (Response,), {"charset": "latin-1"})
    assert list(own(["\u00fc"]).iter_encoded()) == [b"\xfc"]
    assert own("\u00fc").data == b"\xfc"
    assert own("\u00fc").content_type == "text/plain; charset=latin-1"


@pytest.mark.feature("kay-156")
def test_the_stream_writes_to_the_body():
    response = Response("a")
    assert response.stream.write(b"bc") == 2
    response.stream.writelines([b"d", b"e"])
    assert response.stream.tell() == 5
    assert called(response, environ())[1:] == (
        [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", "5")],
        b"abcde",
    )
    response.stream.close()
    with pytest.raises(ValueError, match="closed"):
        response.stream.write(b"f")


def test_json():
    assert Response('{"a": [1]}', mimetype="application/json").json == {"a": [1]}
    assert Response('{"a": [1]}').json is None
    assert Response("{", mimetype="application/x+json").get_json(silent=True) is None
    with pytest.raises(ValueError, match="Expecting"):
        Response("{").get_json(force=True)


def test_the_stream_of_a_response_is_like_a_file():
    response = Response(("a", "b"))
    stream = response.stream
    stream.flush()
    assert (stream.isatty(), stream.encoding, stream.tell()) == (False, "utf-8", 2)
    response.make_sequence()
    stream.write(b"c")
    assert response.response == ["a", "b", b"c"]
    stream.close()
    with pytest.raises(ValueError, match="closed"):
        stream.isatty()

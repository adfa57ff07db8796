"""Headers, step by step beside those of Werkzeug."""

import copy
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule
from werkzeug import datastructures as original

from antiphon.adapters.foreign.environ_host import BridgedApplication
from antiphon.dialects.kay.werkzeug.wrappers import Response as KayResponse
from antiphon.dialects.werkzeug import datastructures as dialect
from antiphon.dialects.werkzeug.test import create_environ, run_wsgi_app
from antiphon.dialects.werkzeug.wrappers import Response
from antiphon.testing import Client
from tests.dialects.werkzeug.in_step import InStep, outcome, same, step
from tests.helpers.rows import rows

names = st.sampled_from(["X-A", "x-a", "X-b", "Date", "content-type"])
values = st.sampled_from(["1", "a b", "", "ü", "tab\there", 3, None, 2.5, "x\r\ny", "\nz", "tail\r"])
lists = st.lists(values, max_size=3)
pairs = st.lists(st.tuples(names, values), max_size=6)
places = st.integers(-3, 3)
slices = st.builds(slice, st.none() | places, st.none() | places)
sources = st.one_of(pairs, st.dictionaries(names, st.one_of(values, lists, lists.map(tuple)), max_size=3))
conversions = st.sampled_from([None, int, float, str, len])


WHOLE = [
    len,
    bool,
    list,
    str,
    repr,
    lambda h: list(h.items()),
    lambda h: list(h.items(lower=True)),
    lambda h: list(h.keys()),
    lambda h: list(h.keys(lower=True)),
    lambda h: list(h.values()),
    lambda h: h.to_wsgi_list(),
    lambda h: h == type(h)(h.items(lower=True)),
    lambda h: h == list(h),
    lambda h: list(h.copy()),
    lambda h: list(copy.copy(h)),
    lambda h: list(copy.deepcopy(h)),
    lambda h: list(pickle.loads(pickle.dumps(h))),
    lambda h: [h.get(name) for name in ("x-a", "X-B", "DATE", "content-type", "x")],
]


class HeadersInStep(InStep):
    name = "Headers"
    looks = WHOLE

    @rule(name=names, value=values)
    def add(self, name, value):
        self.both(lambda h: h.add(name, value))
        self.both(lambda h: h.add_header(name, value))

    @rule(name=names, value=values)
    def add_with_options(self, name, value):
        self.both(lambda h: h.add(name, "v", file_name=value) if value not in ("x\r\ny", "\nz", "tail\r", "ü") else 1)
        self.both(lambda h: h.set(name, "v", a="b c", none=None))

    set = step("set", names, values)
    set_item = step("__setitem__", names, values)

    @rule(place=places, name=names, value=values)
    def set_place(self, place, name, value):
        self.both(lambda h: h.__setitem__(place, (name, value)))

    set_slice = step("__setitem__", slices, pairs)
    setlist = step("setlist", names, lists)
    setdefault = step("setdefault", names, values)
    setlistdefault = step("setlistdefault", names, lists)

    @rule(source=sources, keywords=st.dictionaries(st.sampled_from(["Date", "x"]), values | lists))
    def extend(self, source, keywords):
        self.both(lambda h: h.extend(source, **keywords))

    @rule(source=pairs, keywords=st.dictionaries(st.sampled_from(["Date", "x"]), values | lists))
    def update(self, source, keywords):
        self.both(lambda h: h.update(source, **keywords))

    @rule(source=st.dictionaries(names, st.one_of(values, lists, lists.map(tuple)), max_size=3))
    def update_from_a_dictionary(self, source):
        self.both(lambda h: h.update(source))
        self.both(lambda h: h.__ior__(source) is h)
        self.both(lambda h: list(h | source))

    @rule(source=pairs)
    def update_from_their_own(self, source):
        for several in ("MultiDict", "Headers"):
            result = outcome(lambda h: h.update(getattr(original, several)(source)), self.theirs)  # noqa: B023
            same(result, outcome(lambda h: h.update(getattr(dialect, several)(source)), self.ours))  # noqa: B023
            result = outcome(lambda h: h.extend(getattr(original, several)(source)), self.theirs)  # noqa: B023
            same(result, outcome(lambda h: h.extend(getattr(dialect, several)(source)), self.ours))  # noqa: B023

    delete = step("__delitem__", st.one_of(names, places, slices))
    remove = step("remove", names)

    @rule(key=st.one_of(names, places, st.none()), default=st.just(()) | st.tuples(values))
    def pop(self, key, default):
        self.both(lambda h: h.pop(key, *default))

    pop_last = step("pop")

    @rule(name=names, default=values, convert=conversions)
    def read(self, name, default, convert):
        self.both(lambda h: h[name])
        self.both(lambda h: name in h)
        self.both(lambda h: h.get(name))
        self.both(lambda h: h.get(name, default, convert))
        self.both(lambda h: h.getlist(name))
        self.both(lambda h: h.getlist(name, type=convert))
        self.both(lambda h: h.get_all(name))

    @rule(place=places, part=slices)
    def read_places(self, place, part):
        self.both(lambda h: h[place])
        self.both(lambda h: list(h[part]))
        self.both(lambda h: type(h[part]).__name__)


TestHeadersInStep = HeadersInStep.TestCase
TestHeadersInStep.settings = settings(stateful_step_count=20, deadline=None)


@pytest.mark.feature("kay-101")
class TestHeaders:
    @rows("bad", ["a\r\nb", "a\rb", "a\nb", "a\0b", "\n"])
    @rows(
        "write",
        lambda h, bad: h.add("x", bad),
        lambda h, bad: h.add(bad, "x"),
        lambda h, bad: h.add("x", "y", name=bad),
        lambda h, bad: h.set("x", bad),
        lambda h, bad: h.set(bad, "x"),
        lambda h, bad: h.__setitem__("x", bad),
        lambda h, bad: h.__setitem__(0, ("x", bad)),
        lambda h, bad: h.__setitem__(slice(1), [(bad, "x")]),
        lambda h, bad: h.setlist("x", ["a", bad]),
        lambda h, bad: h.setdefault("x", bad),
        lambda h, bad: h.setlistdefault("x", [bad]),
        lambda h, bad: h.extend([("x", bad)]),
        lambda h, bad: h.extend({"x": ["y", bad]}),
        lambda h, bad: h.extend(x=bad),
        lambda h, bad: h.update({"x": bad}),
        lambda h, bad: dialect.Headers({"x": bad}),
    )
    def test_refuse_line_ends_and_nul(self, write, bad):
        headers = dialect.Headers([("a", "b")])
        with pytest.raises(ValueError, match=r"(control|newline) characters"):
            write(headers, bad)
        assert not any(each in str(headers).replace("\r\n", "") for each in "\r\n\0")

    @rows("name", ["a b", "a:b", "\xe9", ""])
    def test_keep_a_name_that_is_no_token_and_refuse_to_send_it(self, name):
        headers = dialect.Headers([(name, "x")])
        headers.add(name, "y")
        assert list(headers) == list(original.Headers([(name, "x"), (name, "y")]))
        for response in (Response("x", headers=headers), KayResponse("x", headers=headers)):
            for interface in ("wsgi", "asgi", "rsgi"):
                with Client(BridgedApplication(response), interface, raise_errors=False) as client:
                    assert client.get("/").status == 500

    @rows("line", [("a\r\nb", "x"), ("a", "x\r\nset-cookie: b=c"), ("a", "x\0y"), ("a\nb", "")])
    def test_a_list_that_other_code_changed_is_checked_when_it_is_sent(self, line):
        response = Response("x", headers=dialect.Headers.linked([line]))
        with pytest.raises(ValueError, match="newline characters"):
            run_wsgi_app(response, create_environ())  # under any WSGI server

    def test_united_with_what_is_no_mapping_are_an_error(self):
        for library in (original, dialect):
            with pytest.raises(TypeError):
                library.Headers() | [("a", "b")]
            with pytest.raises(TypeError):
                library.Headers().__ior__(1) + 0


class TestOlderNames:
    def test_linked_headers_change_the_list_that_they_are_made_of(self):
        fields = [("A", "1")]
        headers = dialect.Headers.linked(fields)
        headers.add("B", "2")
        headers["a"] = "3"
        fields.append(("C", "4"))
        assert fields == [("a", "3"), ("B", "2"), ("C", "4")]
        assert (headers["c"], headers.getlist("b"), "C" in headers) == ("4", ["2"], True)
        del headers["b"]
        assert headers.pop("a") == "3"
        assert fields == [("C", "4")]
        assert type(headers.copy()) is dialect.Headers
        assert list(headers.copy()) == fields
        headers.clear()
        assert fields == []

    def test_iterate_as_python_2_did(self):
        headers = dialect.Headers([("A", "1")])
        assert list(headers.iteritems(lower=True)) == [("a", "1")]
        assert list(headers.iterkeys()) == ["A"]
        assert list(headers.itervalues()) == ["1"]
        assert headers.to_list() == [("A", "1")]
        assert headers.has_key("a")


ENVIRON = {
    "HTTP_HOST": "localhost", "HTTP_X_FORWARDED_FOR": "10.0.0.1", "HTTP_CONTENT_TYPE": "forged",
    "CONTENT_TYPE": "text/plain", "CONTENT_LENGTH": "", "HTTP_EMPTY": "", "HTTP_N": "12", "REQUEST_METHOD": "GET",
    "wsgi.version": (1, 0),
}  # fmt: skip


class TestEnvironHeaders:
    @given(
        st.sampled_from(
            ["Host", "host", "X-Forwarded-For", "Content-Type", "Content-Length", "Empty", "N", "no", "content_type", 1]
        ),
        st.sampled_from(["default", None, 3]),
        conversions,
    )
    def test_read_as_the_original(self, name, default, convert):
        theirs, ours = original.EnvironHeaders(ENVIRON), dialect.EnvironHeaders(ENVIRON)
        looks = [
            lambda h: h[name],
            lambda h: name in h,
            lambda h: h.get(name, default, convert),
            lambda h: h.getlist(name),
            lambda h: h.getlist(name, convert),
            *WHOLE[:11],
            lambda h: h == type(h)(dict(ENVIRON)),
            lambda h: h == type(h)(ENVIRON),
            lambda h: h == 1,
            lambda h: h.copy(),
            copy.copy,
            lambda h: h | {"a": "b"},
            hash,
        ]
        for look in looks:
            result = outcome(look, theirs)
            if isinstance(name, str) or result.error is not AttributeError:
                same(result, outcome(look, ours))

    def test_names_of_clients_do_not_stay_in_memory(self):
        headers = dialect.EnvironHeaders({"HTTP_A_2000": "x"})
        assert [name for name in (f"A-{number}" for number in range(3000)) if name in headers] == ["A-2000"]
        assert headers["a-2000"] == "x"

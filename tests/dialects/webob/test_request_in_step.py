"""Requests beside those of WebOb: the same reads and writes in the same order, on one environ each."""

from io import BytesIO

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from antiphon.dialects.webob.request import Request
from tests.dialects.webob.original import request as original
from tests.dialects.werkzeug.environs import URLENCODED, environ
from tests.dialects.werkzeug.in_step import outcome, same, step

NAMES = st.sampled_from(["a", "b", "\xfc", "x y", ""])
PAIRS = st.lists(st.tuples(NAMES, NAMES), max_size=4)
WRITTEN = {
    "method": ["GET", "POST", "PUT", "HEAD"], "path_info": ["/", "/a//b", "/\xfc", ""],
    "script_name": ["", "/app", "/\xfc x"], "query_string": ["", "a=1&b=2&a=3", "a=%C3%BC;b"],
    "host": ["example.com", "a:80", "[::1]:8000"], "scheme": ["http", "https"],
    "content_type": [URLENCODED, "text/plain; charset=UTF-8", "text/html", None],
    "body": [b"", b"a=1&b=x+y&a=%C3%BC", None], "text": ["", "a=\xfc"], "json": [{"a": [1, "\xfc", None]}, "x"],
    "content_length": [None, 3], "remote_user": ["ada", None], "max_forwards": [5, None],
    "if_modified_since": [784111777, None], "urlvars": [{"a": "b"}, {}], "urlargs": [("a",), ()],
    "headers": [{"X-A": "b"}, {"Host": "a", "Content-Type": "text/plain"}],
    "anything": [1, "x"], "user_agent": ["curl", None], "referer": ["http://a/"],
}  # fmt: skip
WRITES = st.sampled_from([(name, value) for name, values in WRITTEN.items() for value in values])
DELETED = [
    *("host", "body", "text", "json", "content_type", "urlvars", "urlargs", "user_agent", "anything", "remote_user")
]
READ = [
    *(name for name in WRITTEN if name not in ("headers", "json", "text")),
    *("url", "path", "path_qs", "host_url", "application_url", "domain", "host_port", "is_body_readable", "charset"),
    *("is_body_seekable", "GET", "POST", "params"),
]


def plain(value):
    return [*value.items()] if hasattr(value, "getall") else value


class Original(original.Request):
    request_body_tempfile_limit = 1 << 20  # it leaves its files open


class Requests(RuleBasedStateMachine):
    """A request of each library, and another one over the environ of each."""

    @initialize(body=st.sampled_from([b"", b"a=1&b=2&a=3"]))
    def start(self, body):
        self.theirs, self.ours = (cls(environ(body, CONTENT_TYPE=URLENCODED)) for cls in (Original, Request))

    def both(self, call):
        same(*[outcome(call, each) for each in (self.theirs, self.ours)])

    @rule(written=WRITES)
    def write(self, written):
        self.both(lambda each: setattr(each, *written))

    @rule(name=st.sampled_from(DELETED))
    def delete(self, name):
        self.both(lambda each: delattr(each, name))

    @rule(key=st.sampled_from(["HTTP_X_A", "QUERY_STRING", "REMOTE_ADDR"]), value=NAMES)
    def write_to_the_environ(self, key, value):
        self.both(lambda each: each.environ.__setitem__(key, value.encode().decode("latin-1")))

    @rule(data=st.sampled_from([b"", b"a=b", b"x" * 70_000]))
    def set_a_file(self, data):
        self.both(lambda each: setattr(each, "body_file", BytesIO(data)))

    @rule(size=st.integers(0, 5))
    def read_some(self, size):
        self.both(lambda each: each.make_body_seekable())
        self.both(lambda each: each.body_file_seekable.read(size))

    pop = step("path_info_pop", st.sampled_from([None, "a", "app$"]))

    @rule(name=NAMES, value=NAMES)
    def add_to_the_query(self, name, value):
        self.both(lambda each: each.GET.add(name, value))

    @rule(name=NAMES, value=NAMES)
    def set_in_the_query(self, name, value):
        self.both(lambda each: each.GET.__setitem__(name, value))

    @rule(name=NAMES)
    def pop_from_the_query(self, name):
        self.both(lambda each: each.GET.pop(name))

    @rule(pairs=PAIRS)
    def extend_the_form(self, pairs):
        self.both(lambda each: [each.POST.add(*pair) for pair in pairs])

    @rule(name=NAMES)
    def header(self, name):
        self.both(lambda each: each.headers.__setitem__(f"X-{name}", "1"))

    @rule()
    def copy(self):
        self.both(lambda each: sorted(each.copy().headers.items()))
        self.both(lambda each: each.copy_get().url)

    remove_conditional_headers = step("remove_conditional_headers")

    @invariant()
    def both_show_the_same_and_so_does_another_one_over_the_environ(self):
        for name in READ:
            self.both(lambda each, name=name: plain(getattr(each, name)))
            read = outcome(lambda name=name: plain(getattr(self.ours, name)))
            same(outcome(lambda name=name: plain(getattr(Request(self.ours.environ), name))), read)


TestRequests = Requests.TestCase
TestRequests.settings = settings(stateful_step_count=20, deadline=None)

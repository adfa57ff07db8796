"""The page of an error, and its text: the project's own code first, with what failed marked; everything escaped."""

import base64
import hashlib
import re
from html import unescape
from html.parser import HTMLParser
from traceback import walk_tb

import pytest

from antiphon import Limits, Request
from antiphon.cli.debug.page import HEADERS, page, text_of, traceback_of
from antiphon.cli.debug.report import report_of
from tests.helpers.rows import rows


def raised_by(function, *arguments):
    try:
        function(*arguments)
    except BaseException as error:
        return error
    pytest.fail("nothing was raised")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Runs code as a module of a project that is the current directory, and returns its error."""
    monkeypatch.chdir(tmp_path)

    def run(code, name="shop.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code)
        return raised_by(lambda: exec(compile(code, str(path), "exec"), {"__name__": "shop"}))

    return run


def marked(error):
    """Return the lines of the main frame in which something is marked, with brackets around that."""
    lines = report_of(error, None).failures[0].main_frame.lines
    return [
        f"{line.text[: line.start]}[{line.text[line.start : line.end]}]{line.text[line.end :]}".strip()
        for line in lines
        if line.end
    ]


@rows(
    "code, lines",
    ("x = 1 + {}['a'] + 2", ["x = 1 + [{}['a']] + 2"]),
    ("x = 'ü☃😀' + {}['ü☃😀']", ["x = 'ü☃😀' + [{}['ü☃😀']]"]),
    ("raise ValueError(1)", ["[raise ValueError(1)]"]),
    ("x = sum(\n    [1,\n     None])", ["x = [sum(]", "[[1,]", "[None])]"]),
    ("x = [\n\t1 /\n\t0]", ["[1 /]", "[0]]"]),
    ("def f(:", ["def f([:]"]),
    ("x = 'ü' + (", ["x = 'ü' + [(]"]),
    ("x = 1\n  y", ["[ y]"]),
)
def test_the_failing_expression_is_marked(tmp_path, monkeypatch, code, lines):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "shop.py"
    path.write_text(code)
    error = raised_by(lambda: exec(compile(path.read_text(), str(path), "exec"), {}))
    found = marked(error)
    assert [line.replace("    ", "") for line in found] == lines or found == lines


def test_a_line_of_a_template_is_marked_as_a_whole(tmp_path, monkeypatch):
    from jinja2 import Environment, FileSystemLoader

    monkeypatch.chdir(tmp_path)
    (tmp_path / "page.html").write_text("<p>\n  {{ 1 / count }}\n")
    template = Environment(loader=FileSystemLoader(tmp_path)).get_template("page.html")
    error = raised_by(lambda: template.render(count=0))
    assert marked(error) == ["[{{ 1 / count }}]"]
    assert report_of(error, None).failures[0].main_frame.file == "page.html"


@pytest.mark.parametrize(
    ("text", "place", "variables"),
    [
        ("{% block body %}\n{{ 1 / count }}{% endblock %}", "page.html, line 2, in block 'body'", {"count": "0"}),
        ("{{ 1 / count }}", "page.html, line 1, in top-level template code", {"count": "0"}),
        ("\n{% if %}", "page.html, line 2, in template", {}),
    ],
)
def test_a_failure_in_a_page_shows_the_template_its_block_and_its_data(
    pages, tmp_path, monkeypatch, text, place, variables
):
    from antiphon import App
    from antiphon.features import Page, Templates

    monkeypatch.chdir(tmp_path)
    (tmp_path / "page.html").write_text(text)
    app = App()
    app.use(Templates(tmp_path))
    app.get("/")(lambda request: Page("page.html", count=0))
    shown = pages(app).page("/").shown
    assert f"<h2>{place}</h2>" in shown
    assert "test_page.py" in re.search(r'<p class="note">(.*?) returned Page', shown)[1]
    told = pages(app).problem("/").json["debug"]["errors"][0]["frames"]
    *_, frame = [frame for frame in told if frame["file"].endswith("page.html")]
    assert {name: value for name, value in frame["variables"].items() if name != "request"} == variables


def test_the_project_s_own_innermost_frame_comes_first(project):
    error = project("import re\ndef search(pattern):\n    return re.search(pattern, '')\nsearch('(')\n")
    failure = report_of(error, None).failures[0]
    assert (failure.main_frame.file, failure.main_frame.line, failure.main_frame.function) == ("shop.py", 3, "search")
    assert failure.main_frame.variables == (("pattern", "'('"),)
    others = [frame for frame in failure.frames if not frame.is_own]
    assert [frame.variables for frame in others] == [()] * len(others)
    shown = unescape(page(error).decode())
    assert shown.index("shop.py, line 3, in search") < shown.index("shop.py, line 4, in <module>")
    assert re.search(r"<summary>\d+ frames of re</summary>", shown)


def test_without_a_frame_of_the_project_the_innermost_one_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = raised_by(re.compile, "(")
    assert report_of(error, None).failures[0].main_frame.file.startswith("re/")


def test_variables_of_the_failing_line_come_first(project):
    error = project("def f(a, b, c, d):\n    return c['x']\nf(1, 2, 'text', 4)\n")
    assert [name for name, _ in report_of(error, None).failures[0].main_frame.variables] == ["c", "a", "b", "d"]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("return orders[number]", [("orders", "{1: 'lamp'}"), ("number", "7"), ("other", "0")]),
        ("return len(orders) / other", [("orders", "{1: 'lamp'}"), ("other", "0"), ("number", "7")]),
        ("return find(number) / other", [("number", "7"), ("other", "0")]),
        ("return number.orders", [("number", "7"), ("other", "0")]),
    ],
)
def test_global_data_of_the_failing_line_is_shown_with_the_locals(project, line, shown):
    globals_of_shop = "import re as find\norders, unused = {1: 'lamp'}, 2\n"
    error = project(f"{globals_of_shop}def show(number, other):\n    {line}\nshow(7, 0)\n")
    variables = report_of(error, None).failures[0].main_frame.variables
    assert sorted(variables) == sorted(shown)


def test_a_module_shows_its_data_only(project):
    error = project("import os\nfrom re import compile\nclass A: pass\nsize = 3\nsize / 0\n")
    assert report_of(error, None).failures[0].main_frame.variables == (("size", "3"),)


CHAINS = """
def low():
    raise KeyError("low")

def middle():
    try:
        low()
    except KeyError:
        raise ValueError("middle")

def high():
    try:
        middle()
    except ValueError as error:
        raise RuntimeError("high") from error

def hidden():
    try:
        low()
    except KeyError:
        raise RuntimeError("hidden") from None
"""


def test_causes_and_contexts_follow(project):
    error = project(CHAINS + "high()")
    failures = report_of(error, None).failures
    assert [(failure.kind, failure.relation) for failure in failures] == [
        ("RuntimeError", ""),
        ("ValueError", "It was raised from this error"),
        ("KeyError", "It was raised while this error was handled"),
    ]
    shown = [line for line in traceback_of(report_of(error, None)).splitlines() if not line.startswith(" ")]
    assert [line for line in shown if line and not line.startswith("Traceback")] == [
        "KeyError: 'low'",
        "During handling of the above exception, another exception occurred:",
        "ValueError: middle",
        "The above exception was the direct cause of the following exception:",
        "RuntimeError: high",
    ]
    assert [failure.kind for failure in report_of(project(CHAINS + "hidden()"), None).failures] == ["RuntimeError"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("total = 1\nprint(totl)", "name 'totl' is not defined. Did you mean 'total'?"),
        ("def f(total):\n    return totl\nf(1)", "name 'totl' is not defined. Did you mean 'total'?"),
        ("prnt()", "name 'prnt' is not defined. Did you mean 'print'?"),
        ("oboe", "name 'oboe' is not defined"),
        ("raise NameError('who?')", "who?"),
    ],
)
def test_a_misspelt_name_shows_the_nearest_one(project, code, message):
    assert report_of(project(code), None).failures[0].message == message


def test_errors_that_cause_each_other_are_shown_once():
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert [failure.message for failure in report_of(first, None).failures] == ["first", "second"]


def test_the_errors_of_a_group_have_their_own_frames(project):
    error = project(
        "import asyncio\n"
        "async def fail(n):\n"
        "    raise ValueError(n) from KeyError(n)\n"
        "async def main():\n"
        "    async with asyncio.TaskGroup() as tasks:\n"
        "        for n in range(3):\n"
        "            tasks.create_task(fail(n))\n"
        "asyncio.run(main())\n"
    )
    members = report_of(error, None).failures[0].members
    assert [(member.kind, member.message) for member in members][:2] == [("ValueError", "0"), ("KeyError", "0")]
    assert members[0].main_frame.variables == (("n", "0"),)
    shown = page(error).decode()
    assert shown.count("shop.py, line 3, in fail</h3>") == 3


def test_a_large_group_is_cut():
    error = ExceptionGroup("many", [ValueError(number) for number in range(1000)])
    failure = report_of(error, None).failures[0]
    assert (len(failure.members), failure.members_left_out) == (10, 990)
    assert "990 more" in page(error).decode()


def test_notes_are_shown():
    error = ValueError("bad")
    error.add_note("A <b>note</b>.")
    error.__notes__.append(7)
    shown = page(error).decode()
    assert '<p class="note">A &lt;b&gt;note&lt;/b&gt;.</p>\n<p class="note">7</p>' in shown
    assert "A <b>note</b>.\n" in text_of(report_of(error, None))


def down(n):
    return down(n + 1)


def even(n):
    return odd(n + 1)


def odd(n):
    return even(n + 1)


@pytest.mark.parametrize(("function", "most"), [(down, 5), (even, 60)])
def test_a_recursion_is_folded(function, most):
    error = raised_by(function, 0)
    report = report_of(error, None)
    frames = report.failures[0].frames
    assert len(frames) < most
    assert len(frames) + sum(frame.repeats for frame in frames) == len([*walk_tb(error.__traceback__)]) > 900
    assert int(report.failures[0].main_frame.variables[0][1]) > 900
    assert re.search(r"\d{3} more frames", page(raised_by(function, 0)).decode())


class Wordless(Exception):
    def __str__(self):
        raise RuntimeError("no words")


@rows(
    "error, message",
    (Wordless(), "<its message failed: RuntimeError>"),
    (ValueError("words " * 10**6), ("words " * 667)[:4000] + "..."),
    (ValueError(), ""),
    (ValueError("\udc80"), "?"),
    (SyntaxError("bad", ("/nowhere/a.py", 3, 2, "text")), "bad"),
    (SyntaxError("bad", (None, None, None, None)), "bad"),
    (SystemExit(1), "1"),
    ids=repr,
)
def test_a_message_of_any_kind(error, message):
    assert report_of(error, None).failures[0].message == message
    assert len(page(error)) < 100_000


def test_source_that_is_not_there_is_done_without():
    error = raised_by(lambda: exec(compile("1 / 0", "/nowhere/<b>.py", "exec"), {}))
    assert b"The source code is not available." in page(error)


MARKUP = "</pre></style></script><script>alert(1)</script><img src=x onerror=alert(1)>&\"'`"


class Parser(HTMLParser):
    """Collects the elements of a page, and checks that they nest."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attributes]
        if tag not in ("meta", "img", "html"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_markup_is_escaped_wherever_it_comes_from(project):
    request = Request.blank(
        "/<script>?<script>=<script>",
        "POST",
        {"x-a": MARKUP, "cookie": f"<b>={MARKUP}", "content-type": "application/x-www-form-urlencoded"},
        b"%3Cscript%3E=%3Cscript%3E",
    )
    error = project(
        f"markup = {MARKUP!r}  # {MARKUP}\n"
        "def fail(**values):\n"
        f"    error = type('<script>', (Exception,), {{'__module__': '<b>'}})(markup)  # {MARKUP}\n"
        "    error.add_note(markup)\n"
        "    raise error\n"
        "fail(**{markup: markup, 'd': {markup: markup}, 'o': type(markup, (), {})()})\n",
        "<script>/<img src=x>.py".replace("/", "-"),
    )
    parser = Parser()
    parser.feed(page(error, request).decode())
    assert parser.open == []
    assert [parser.tags.count(tag) for tag in ("script", "style", "img", "b")] == [1, 1, 0, 1]
    assert not {"style", "onerror", "src", "href"} & {*parser.attributes}


def test_a_page_has_no_other_scripts_and_styles_than_its_policy_allows():
    shown = page(ValueError(), refreshes=True).decode()
    for source in re.findall(r"<(?:script|style)>(.*?)</(?:script|style)>", shown, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in HEADERS["content-security-policy"]


def test_a_page_without_a_request_may_refresh_itself_when_the_error_is_another_one(project):
    first, again = (project("import shopp\n") for _ in range(2))
    other = project("import shoppp\n")
    digests = [
        re.search(r'data-error="(\w+)"', page(error, refreshes=True).decode())[1] for error in (first, again, other)
    ]
    assert digests[0] == digests[1] != digests[2]
    assert "location.reload()" in page(first, refreshes=True).decode()
    assert "location.reload()" not in page(first).decode()


def request_of_everything():
    request = Request.blank(
        "/cart/7?page=2",
        "POST",
        {"host": "shop.example", "content-type": "application/json", "cookie": "theme=dark"},
        b'{"name": "tea", "count": [1]}',
    )
    request.path_params = {"number": 7}
    return request


def test_the_text_has_all_of_it_as_markdown(project):
    text = text_of(report_of(project("def f(a):\n    return a / 0\nf(1)\n"), request_of_everything()))
    assert text.startswith("# ZeroDivisionError: division by zero\n\nshop.py, line 2, in f\n\n         1 def f(a):\n")
    assert "    >    2     return a / 0\n                      ^^^^^\n" in text
    for part in (
        "## Variables\n\n    a = 1\n",
        "## Traceback\n\n    Traceback (most recent call last):\n",
        "## Parameters of the path\n\n    number: 7\n",
        "## Query\n\n    page: 2\n",
        "## Cookies\n\n    theme: dark\n",
        "## Body\n\n    JSON: {'name': 'tea', 'count': [1]}\n",
        "    method: POST\n    URL: http://shop.example/cart/7?page=2\n",
    ):
        assert part in text


def test_the_page_has_what_the_text_has(project):
    request = request_of_everything()
    error = project("1 / 0")
    report = report_of(error, request)
    shown = unescape(page(error, request).decode())
    assert text_of(report) in shown
    for section in report.sections:
        for name, value in section.rows:
            assert f"<dt>{name}</dt><dd>{value}</dd>" in shown


BODIES = [
    ("application/json", b'{"a": ', [("type", "application/json"), ("malformed", """b'{"a": '""")]),
    ("application/json", b"1" * 20_000, [("type", "application/json"), ("size", "20000 bytes received")]),
    ("image/png", b"\x89PNG", [("type", "image/png"), ("size", "4 bytes")]),
    ("application/x-www-form-urlencoded", b"a=1&a=2&pin=1234", [("a", "1"), ("a", "2"), ("pin", "[masked]")]),
]


@rows("kind, body, rows", BODIES)
def test_a_body_that_was_read_and_is_small_is_shown(kind, body, rows):
    request = Request.blank("/", "POST", {"content-type": kind, "content-length": str(len(body))}, body)
    sections = {section.title: section.rows for section in report_of(ValueError(), request).sections}
    assert [*sections["Body"]] == rows


def test_a_form_in_parts_is_shown_once_it_was_read():
    body = (
        b'--b\r\ncontent-disposition: form-data; name="pin"\r\n\r\n1234\r\n'
        b'--b\r\ncontent-disposition: form-data; name="photo"; filename="<a>.png"\r\n\r\nPNG\r\n--b--\r\n'
    )
    request = Request.blank("/", "POST", {"content-type": "multipart/form-data; boundary=b"}, body)
    rows = [dict(section.rows) for section in report_of(ValueError(), request).sections]
    assert rows[-1] == {"type": "multipart/form-data", "size": f"{len(body)} bytes"}
    assert request.form["pin"] == request.files["photo"].read().decode().replace("PNG", "1234")
    rows = [dict(section.rows) for section in report_of(ValueError(), request).sections]
    assert rows[-1] == {"pin": "[masked]", "photo": "a file of 3 bytes, '<a>.png'"}


def test_what_can_t_be_read_of_a_request_says_so():
    request = Request.blank(f"/?{'a=1&' * 100}", headers=[("x-a", "1")] * 150)
    request.limits = Limits(fields=10)
    sections = {section.title: section.rows for section in report_of(ValueError(), request).sections}
    assert sections["Query"] == (("not shown", "URITooLong while it was read"),)
    assert sections["Headers"][-1] == ("...", "50 more")


def test_many_variables_are_cut(project):
    names = ", ".join(f"name{number}" for number in range(50))
    error = project(f"def f({names}):\n    1 / 0\nf(*range(50))")
    assert report_of(error, None).failures[0].main_frame.variables[-1] == ("...", "10 more")


def test_a_page_is_bounded(project):
    error = project(
        "def f(a, **more):\n    big, deep = 'x' * 10**7, list(range(10**6))\n    raise ValueError(big)\n"
        "f(1, **{f'name{n}': 'y' * 1000 for n in range(1000)})"
    )
    assert len(page(error)) < 200_000


def test_an_error_on_a_loop_is_shown_like_any_other(project):
    error = project("import asyncio\nasync def main():\n    await asyncio.sleep(0)\n    1 / 0\nasyncio.run(main())\n")
    assert report_of(error, None).failures[0].main_frame.function == "main"


@pytest.mark.parametrize("kind", ["no-secret-key", "session-is-over"])
def test_the_command_that_explains_an_error_is_shown_once_and_is_no_secret(project, kind):
    code = f"from antiphon.explanations import explained\nraise explained('{kind}', ValueError('broken'))\n"
    shown = page(project(code)).decode()
    assert shown.count(f'<p class="note">To read more: antiphon explain {kind}</p>') == 1
    assert f"ValueError: broken\n    To read more: antiphon explain {kind}\n" in unescape(shown)

"""Templates render as they do by Jinja's own code, which has a call of Python for each attribute and each value."""

import sys
from collections import OrderedDict, UserDict
from datetime import date
from decimal import Decimal
from traceback import extract_tb
from types import SimpleNamespace

import pytest
from jinja2 import (
    ChainableUndefined,
    DebugUndefined,
    DictLoader,
    Environment,
    FileSystemBytecodeCache,
    ModuleLoader,
    StrictUndefined,
    make_logging_undefined,
    pass_context,
    pass_environment,
    pass_eval_context,
)
from jinja2.exceptions import SecurityError
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from antiphon.features.templates.environment import DictEnvironment
from antiphon.speedups import IS_COMPILED
from tests.helpers.rows import rows
from tests.helpers.twins import pure


class PureEnvironment(DictEnvironment):
    """An environment that leaves the extension out."""

    escape_text = staticmethod(pure("escape_text"))
    read_attribute = staticmethod(pure("read_attribute"))


class Row:
    """An object with an attribute of each kind."""

    __slots__ = ("__dict__", "slot")

    def __init__(self):
        self.slot, self.name = "<slot>", "<name>"

    @property
    def computed(self):
        return "<computed>"

    @property
    def unknown(self):
        raise AttributeError("unknown")

    @property
    def key(self):
        raise KeyError("key")

    @property
    def failing(self):
        raise ZeroDivisionError("failing")

    def method(self, *arguments):
        return f"<{len(arguments)}>"


class Dynamic:
    """An object that makes its attributes, or fails in doing so."""

    def __getattr__(self, name):
        if name == "failing":
            raise ZeroDivisionError("failing")
        if name in ("key", "gone") or name[:2] == "__":
            raise AttributeError(name)
        return f"<{name}>"

    def __getitem__(self, name):
        if name == "key":
            return "<item>"
        raise LookupError(name) if name == "gone" else RuntimeError(name)


class Html:
    """An object that is HTML, or what this is given instead."""

    def __init__(self, html):
        self.html = html

    def __html__(self):
        if isinstance(self.html, Exception):
            raise type(self.html)(*self.html.args)
        return self.html

    def __str__(self):
        return "<not asked>"


class Text(str):
    """A string with a type of its own."""


class ShownText(str):
    """A string that is shown as another one."""

    def __str__(self):
        return "<shown>"


class Shown:
    """An object whose text is a Markup, a failure, or a string of another type."""

    def __init__(self, text):
        self.text = text

    def __str__(self):
        if isinstance(self.text, Exception):
            raise type(self.text)(*self.text.args)
        return self.text


class OwnMarkup(Markup):
    """A Markup with a type of its own."""


VALUES = [
    "", "plain", "<&>\"'", "ä<", "ä", "\u20ac&", "\U0001f600'", "\ud800", "\ud800<", "\0<", "a" * 257, "&" * 256,
    "&" * 257, "\U0001f600" * 255 + "&", "\U0001f600" * 256 + "&", Text("<"), ShownText("x"), Markup("<b>"),
    OwnMarkup("<b>"), 0, -1, 1 << 70, 10**5000, True, None, 1.5, float("nan"), 1j, Decimal("1.5"), date(2026, 1, 2),
    b"<'", [1, "<"],
    ("<",), {"<": ">"}, {1}, str, Html("<i>"), Html(Markup("<i>")), Html(Text("<i>")), Html(None), Html(5),
    Html(Html("<u>")), Html(ValueError("<")), Html(AttributeError("<")), Shown(Markup("<i>")), Shown(Text("<i>")),
    Shown(ValueError("<")), Shown(5), Html, Markup, SimpleNamespace(__html__=lambda: "<i>"),
    SimpleNamespace(__html__="no function"), Row.method, object,
]  # fmt: skip
OBJECTS = [
    Row(), Dynamic(), {"name": "<item>", "items": 1, "slot": None}, OrderedDict(name="<item>"), UserDict(name=1),
    {"key": {"name": [3]}}, type("Slots", (), {"__slots__": ("slot",)})(), Row,
]  # fmt: skip
EXPRESSIONS = [
    "v", "v ~ v", "v|string", "v|e", "v|safe", "v|upper", "v|default('<')", "v is defined", "v.name", "v.slot",
    "v.computed", "v.unknown", "v.key", "v.gone", "v.gone.gone", "v.failing", "v.method", "v.method(1, 2)", "v.items",
    "v.items()|list", "v.key.name", "v.key.name.0", "v.name.upper()", "v['name']", "v.__class__.__name__",
    "v.gone is defined",
    "v.gone|default('-')", "(v.gone or '<')", "'<'.upper()", "v if v.gone is undefined else '>'",
    "[v]|map(attribute='name')|list",
]  # fmt: skip
FILES = {
    "base": "<{% block title %}{{ v.name }}{% endblock %}>{% block body %}{% endblock %}{{ self.title() }}",
    "child": "{% extends 'base' %}{% block body %}{{ super() }}{{ v.name }}{{ v.slot }}{% endblock %}",
    "macros": "{% macro m(a, b=v) %}{{ a.name }}{{ b }}{{ caller() if caller }}{{ varargs }}{{ kwargs }}{% endmacro %}"
    "{% set shared = v.name %}",
    "part": "[{{ v.name }}{{ w }}]",
}
PAGES = [
    "{{ v.name }}{{ v }}{{ w }}{{ '<' }}{{ 1.5 }}{{ none }}",
    "{% autoescape false %}{{ v.name }}{{ v }}{% endautoescape %}{{ v.name }}",
    "{% autoescape true %}{{ v.name }}{{ w }}{% endautoescape %}{{ v.name }}",
    "{% autoescape w == '<w>' %}{{ v.name }}{{ w }}{{ v.name ~ '<' }}{% endautoescape %}",
    "{% extends 'child' %}{% block title %}{{ v.slot }}{{ super() }}{% endblock %}",
    "{% include 'part' %}{% for w in [1, v.name] %}{% include 'part' %}{{ loop.index }}{{ loop.last }}{% endfor %}",
    "{% import 'macros' as f with context %}{{ f.m(v, 1, 2, x='<') }}{{ f.shared }}",
    "{% import 'macros' as f with context %}{% call f.m(v) %}{{ v.name }}<{% endcall %}",
    "{% from 'macros' import m %}{{ m(v, '<') }}{% call(x) m(v, 2) %}{{ x }}{% endcall %}",
    "{% set x %}{{ v.name }}<{% endset %}{{ x }}{% set y = v.slot %}{{ y }}",
    "{% filter upper %}{{ v.name }}<{% endfilter %}",
    "{% set n = namespace(a=v) %}{% set n.b = n.a.name %}{{ n.b }}{{ n.gone is defined }}{{ n.a.slot }}",
    "{% with x = v.name, y = v %}{{ x }}{{ y.slot }}{% endwith %}{% if v.name %}{{ w }}{% elif v.gone %}{% endif %}",
    "{% for x in [v, v] recursive %}{{ x.name }}{{ loop([]) }}{{ loop.depth }}{% else %}{{ v.name }}{% endfor %}",
    "{% for a, b in [(v.name, v)] if b.slot %}{{ a }}{{ b.slot }}{{ loop.cycle('<', '>') }}{% endfor %}",
    "{% trans n=v.name %}<i>{{ n }}{% endtrans %}{{ _('<a>%(x)s', x=v.name) }}{{ gettext('<') }}",
    "{% do w.upper() %}{{ (v.name, v.slot)|join('<') }}{{ v|attr('name') }}{{ [v]|sum(attribute='gone', start=w)|e }}",
    "{{ v.name|replace('<', '>') }}{{ v.name|safe }}{{ v.name|forceescape }}",
    "{{ '%s<'|format(v.name) }}{{ v.name|own }}",
    "{{ v is own }}{{ given(v.name) }}{{ given }}",
    "{% set part %}{% include ['gone', 'part'] %}{% endset %}{{ part|length }}",
    "{{ v.computed }}\n{{ v.failing }}", "{{ v.key }}", "{{ v.unknown }}", "{{ gone.name }}", "{{ gone }}",
    "{{ v.gone.x }}",
]  # fmt: skip
FINALIZERS = {
    "none": None,
    "plain": lambda value: "<->" if value is None else value,
    "context": pass_context(lambda context, value: f"{context.name}<{value}"),
    "eval_context": pass_eval_context(lambda context, value: Markup(value) if context.autoescape else value),
    "environment": pass_environment(lambda environment, value: (environment.autoescape, value)),
}


def given(value):
    return [value]


OPTIONS = [
    {"autoescape": True},
    {"autoescape": False},
    {"autoescape": lambda name: name == "part"},
    {"autoescape": True, "optimized": False},
    *({"autoescape": True, "finalize": finalize} for finalize in FINALIZERS.values() if finalize),
    *({"autoescape": True, "undefined": each} for each in (StrictUndefined, DebugUndefined, ChainableUndefined)),
    {"autoescape": True, "undefined": make_logging_undefined(base=DebugUndefined)},
]


def template(kind, source, **options):
    """Return the template of a source in a new environment."""
    environment = kind(
        loader=DictLoader({**FILES, "page": source}), extensions=["jinja2.ext.i18n", "jinja2.ext.do"], **options
    )
    environment.install_gettext_callables(lambda text: text, lambda one, many, n: one, newstyle=True)
    environment.filters["own"] = lambda text: Markup("<") + text
    environment.tests["own"] = lambda value: value == 5
    environment.globals["given"] = given
    return environment.get_template("page")


def outcome(found, **values):
    """Return what a template makes of values, or the error and its lines of templates."""
    try:
        return found.render(values)
    except Exception as error:
        frames = [(each.name, each.lineno) for each in extract_tb(error.__traceback__) if each.filename == "<template>"]
        return type(error), str(error), frames


@rows("options", [{}, {"autoescape": False}, {"enable_async": True}])
@rows("expression", EXPRESSIONS)
def test_an_expression_has_the_value_that_it_has_by_jinja(expression, options):
    source = f"\n{{{{ {expression} }}}}"
    kinds = (DictEnvironment, PureEnvironment, Environment)
    ours, in_python, theirs = (template(kind, source, **{"autoescape": True} | options) for kind in kinds)
    for value in VALUES[:3] + OBJECTS if "enable_async" in options else VALUES + OBJECTS:
        expected = outcome(theirs, v=value)
        assert outcome(ours, v=value) == outcome(in_python, v=value) == expected, (type(value), value)


@rows("page", PAGES)
@rows("options", [*OPTIONS, {"autoescape": True, "enable_async": True}])
def test_a_page_reads_as_by_jinja(options, page):
    ours, theirs = (template(kind, page, **options) for kind in (DictEnvironment, Environment))
    for value in (Row(), {"name": "<item>", "slot": None}, SimpleNamespace(name=Html("<i>"), slot=Text("<"))):
        assert outcome(ours, v=value, w="<w>") == outcome(theirs, v=value, w="<w>")


def calls_of(environment, rows):
    """Count the functions in Python that are called for each value of a table."""
    template = environment.from_string("{% for row in rows %}{{ row.name }}{% endfor %}")
    count = 0

    def observe(frame, event, _argument):
        nonlocal count
        count += event == "call" and frame.f_code.co_name != "root"

    sys.setprofile(observe)
    try:
        template.render(rows=rows)
    finally:
        sys.setprofile(None)
    return count / len(rows)


@rows("make", [SimpleNamespace, dict])
def test_reading_and_escaping_a_value_is_a_call_each_and_none_of_python_where_the_extension_is_in_use(make):
    rows = [make(name=f"Lamp no. {number}") for number in range(1000)]
    ours, theirs = (round(calls_of(kind(autoescape=True), rows), 1) for kind in (DictEnvironment, Environment))
    assert (ours, theirs >= 3) == (0 if IS_COMPILED else 2, True)


class Upper(DictEnvironment):
    """An environment with a way of its own to read attributes."""

    def getattr(self, obj, attribute):
        return str(super().getattr(obj, attribute)).upper()


class Sandbox(DictEnvironment, SandboxedEnvironment):
    """A sandbox that has the names of our environment first."""


class OtherSandbox(SandboxedEnvironment, DictEnvironment):
    """A sandbox that has its own names first."""


UNSAFE = ["''.__class__", "v.__class__", "v.method.__func__", "v.__init__.__globals__", "v['__class__']"]


@rows("expression", UNSAFE)
@rows("sandbox", [Sandbox, OtherSandbox])
@rows("enable_async", [False, True])
def test_a_sandbox_stays_one(sandbox, expression, enable_async):
    environment = sandbox(autoescape=True, enable_async=enable_async)
    with pytest.raises(SecurityError, match="unsafe"):
        environment.from_string(f"{{{{ {expression}.x }}}}").render(v=Row())
    assert environment.from_string("{{ v.name }}{{ v.method(1) }}").render(v=Row()) == "&lt;name&gt;&lt;1&gt;"


def test_an_environment_reads_attributes_by_its_own_function():
    assert Upper().from_string("{{ v.name }}{{ {'a': 'b'}.a }}").render(v=Row()) == "<NAME>B"
    environment = DictEnvironment()
    environment.getattr = lambda value, name: f"{name} of one"
    assert environment.from_string("{{ v.name }}").render(v=Row()) == "name of one"
    assert environment.overlay().from_string("{{ v.name }}").render(v=Row()) == "name of one"


@rows("first", [Environment, DictEnvironment])
def test_a_cache_of_bytecode_is_shared_with_other_environments_and_a_sandbox(first, tmp_path):
    def cached(kind):
        cache = FileSystemBytecodeCache(str(tmp_path))
        environment = kind(loader=DictLoader({"page": "{{ v.name }}"}), autoescape=True, bytecode_cache=cache)
        return environment.get_template("page")

    for kind in (first, DictEnvironment, Environment, SandboxedEnvironment, Sandbox, Upper):
        assert cached(kind).render(v=Row()) == ("&lt;NAME&gt;" if kind is Upper else "&lt;name&gt;")
    assert len([*tmp_path.iterdir()]) == 1


def test_templates_that_are_compiled_into_files_are_of_any_environment(tmp_path):
    environment = DictEnvironment(loader=DictLoader({"page": "{{ v.name }}"}), autoescape=True)
    environment.compile_templates(tmp_path, zip=None)
    for kind in (DictEnvironment, Environment):
        assert kind(loader=ModuleLoader(tmp_path)).get_template("page").render(v=Row()) == "&lt;name&gt;"

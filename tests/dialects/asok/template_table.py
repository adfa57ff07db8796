"""Templates that render alike in Asok and in the dialect, and what they are given.

Run by itself it prints what Asok 0.8 makes of them, in JSON: `python -m tests.dialects.asok.template_table`.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.dialects.asok.generated_templates import GENERATED

TABLE = [
    # Values
    "{{ text }} {{ number }} {{ nothing }} {{ truth }} {{ items }} {{ person }}",
    "{{ html }}|{{ printed }}|{{ text | safe }}|{{ nothing | safe }}",
    '{{ "it\'s" }} {{ None }} {{ none }} {{ true }} {{ False }} {{ 1.5 }}',
    "{{ person.name }} {{ person['name'] }} {{ shadow.items }} {{ shadow.keys() }} {{ person.nothing.more }}",
    "{{ thing.name }} {{ thing['name'] }} {{ thing.call('a', b=2) }} {{ thing.missing }} {{ thing._hidden }}",
    "{{ thing.__class__ }}{{ person.__len__ }}{{ text._x }}",
    "{{ items[0] }} {{ items[-1] }} {{ items[1:] }} {{ items[:2] }} {{ person[key] }} {{ items[9] }}",
    "{{ unknown }} {{ unknown.a.b }} {{ unknown() }} {{ unknown['x'] }}",
    "{% for each in unknown %}{{ each }}{% endfor %}{{ unknown | length }}",
    # Expressions
    "{{ 7 // 2 }} {{ 7 % 2 }} {{ 2 ** 3 }} {{ number + 1 }} {{ 3 - 1 }} {{ 1 < 2 < 3 }} {{ (number + 1) * 2 }}",
    "{{ 'a' in text }} {{ 'x' not in items }} {{ not truth }} {{ truth and 0 or 5 }} {{ number == 3 }}",
    "{{ 'yes' if truth else 'no' }} {{ 'a' ~ number ~ nothing }} {{ [1, 2] }} {{ {'a': 1}['a'] }}",
    "{{ len(items) }} {{ range(3) }} {{ max(items) }} {{ str(number) }} {{ abs(-3) }} {{ sum(items) }}",
    "{{ double(number) }} {{ double(person.age) }} {{ double(items[1]) }}",
    "{{ html ~ number }} {{ printed ~ text ~ nothing ~ unknown }} {{ not 'a' | first }}{{ none | last }}",
    # Filters of the whole expression
    "{{ person.nick or 'anon' | upper }}",
    "{{ person.name if truth else 'nobody' | lower }}",
    "{{ 'a' + 'b' | upper }}",
    "{{ (items | length) + 1 }}",
    "{{ double(items | length) }}",
    "{% set name = person.nick or 'anon' | title %}{{ name }}",
    "{% if items | length > 2 %}many{% endif %}",
    # Filters
    "{{ text | upper }} {{ text | lower }} {{ 'ab cd' | title }} {{ 'ab CD' | capitalize }} {{ number | string }}",
    "{{ 'abcdef' | truncate(3) }} {{ 'abc' | truncate(3) }} {{ long | truncate | length }} {{ 'abc' | truncate(-1) }}",
    "{{ 'a-b-a' | replace('a', 'x') }} {{ 'a-b-a' | replace('a', 'x', 1) }}",
    "{{ items | join }} {{ items | join('-') }} {{ items | first }} {{ items | last }} {{ empty | first }}",
    "{{ text | default('d') }} {{ nothing | default('d') }} {{ '' | default('d') }} {{ unknown | default('d') }}",
    "{{ 0 | default('d') }} {{ unknown | default }}",
    "{{ '<b>x</b>' | striptags }} {{ person | length }} {{ -3 | abs }}",
    "{{ items | tojson }} {{ {'a': '</b>&'} | tojson }} {{ {'a': '</b>&'} | dump(indent=1) }}",
    "{{ person | dictsort }}",
    (
        "{{ moment | date }} {{ '2026-03-04' | date }} "
        "{{ moment | date('%H:%M') }} {{ 'soon' | date }} {{ number | date }}"
    ),
    "{{ 1700000000 | epoch('%Y') }} {{ 3 | epoch }} {{ moment | epoch('%Y') }} {{ '2026-03-04' | epoch('%Y') }}",
    "{{ 1 | pluralize }} {{ 2 | pluralize }} {{ 1 | pluralize('y', 'ies') }} {{ items | pluralize('y', 'ies') }}",
    "{{ 'x' | pluralize }}{{ 0 | pluralize }}",
    "{{ people | selectattr('active') | length }} {{ people | selectattr('name', 'Bo') | length }}",
    "{{ 0 | filesize }} {{ 500 | filesize }} {{ 1536 | filesize }} {{ 5000000 | filesize }}",
    "{{ 1234567 | intcomma }} {{ '1234.5' | intcomma }} {{ 'x' | intcomma }}",
    "{{ 0 | duration }} {{ 59 | duration }} {{ 3600 | duration }} {{ 93784 | duration }} {{ nothing | duration }}",
    "{{ '2001-01-01' | time_ago | truncate(0) }} {{ nothing | time_ago }} {{ 'never' | time_ago }}",
    "{% for time in aged %}{{ time | time_ago }};{% endfor %}",
    "{{ ancient | time_ago }} {{ distant | time_ago }} {{ ahead | time_ago }}",
    "{{ 'data:x' | decode_base64(class_='w', hidden=true) }} {{ '' | decode_base64 }}",
    "{{ thing | display }} {{ nothing | display }} {{ number | display }}",
    "{{ text.nope | epoch }} {{ text.nope | pluralize }} {{ text.nope | duration }} {{ text.nope | intcomma }}",
    # Tests
    (
        "{% if text is defined %}1{% endif %}{% if unknown is not defined %}2"
        "{% endif %}{% if nothing is defined %}3{% endif %}"
    ),
    "{% if number is odd %}1{% endif %}{% if number is even %}2{% endif %}{% if nothing is None %}3{% endif %}",
    "{% if text is string %}1{% endif %}{% if truth is number %}2{% endif %}{% if items is sequence %}3{% endif %}",
    "{% if person is mapping %}1{% endif %}{% if text is iterable %}2{% endif %}{% if truth is boolean %}3{% endif %}",
    (
        "{% if number is integer %}1{% endif %}{% if number is float %}2"
        "{% endif %}{% if truth is true and not nothing %}3{% endif %}"
    ),
    # Statements
    "{% if number > 5 %}a{% elif number > 2 %}b{% else %}c{% endif %}",
    (
        "{% for i in items %}{{ loop.index }}/{{ loop.length }}"
        "{{ loop.first }}{{ loop.last }}{{ loop.index0 }} {% endfor %}"
    ),
    "{% for i in empty %}x{% else %}none{% endfor %}{% for i in items if truth else empty %}{{ i }}{% endfor %}",
    "{% for key, value in person.items() %}{{ key }}={{ value }};{% endfor %}",
    (
        "{% for i in items %}{% if i == 2 %}{% continue %}{% endif %}"
        "{{ i }}{% if i == 3 %}{% break %}{% endif %}{% endfor %}"
    ),
    (
        "{% for row in [[1, 2], [3]] %}{% for cell in row %}{{ cell }}"
        "{{ loop.last }}{% endfor %}{{ loop.index }}{% endfor %}"
    ),
    "{% set n = 0 %}{% for i in items %}{% set n = n + i %}{% endfor %}{{ n }}",
    (
        "{% set n = 0 %}{% for i in items %}{% for j in items %}"
        "{% if j > 1 %}{% set n = n + 1 %}{% endif %}{% endfor %}{% endfor %}{{ n }}"
    ),
    (
        "{% set found = false %}{% for i in items %}{% if i == 2 %}"
        "{% set found = true %}{% endif %}{% endfor %}{{ found }}"
    ),
    "{% with n = 5 %}{% for i in items %}{% set n = n + i %}{% endfor %}{{ n }}{% endwith %}",
    "{% for i in items %}{% for j in items %}{% set i = i + j %}{% endfor %}{{ i }} {% endfor %}",
    "{% set n = 1 %}{% with m = 2 %}{% set n = n + m %}{% endwith %}{{ n }}",
    "{% for i in items %}{% set s = 0 %}{% for j in items %}{% set s = s + j %}{% endfor %}{{ s }} {% endfor %}",
    "{% set y %}{{ number }}!{% endset %}{{ y }} {{ y | upper }}",
    "{% with a = 1, b = 'x' %}{{ a }}{{ b }}{% endwith %}{{ a }}",
    "{% do added.append(4) %}{{ added }}",
    "{% cache 'part' 60 %}{{ text }}{% endcache %}",
    "{% filter upper %}abc{% endfilter %}",
    "{% autoescape false %}{{ text }}{{ nothing }}{% endautoescape %}{{ text }}",
    "{% raw %}a b{% endraw %}",
    "{# nothing #}x{# of\nlines #}",
    "a\n{% if truth %}\n  b\n{% endif %}\n",
    "{%- if truth -%}  a {%- endif %} b {{- number -}} c",
    "<!-- {{ number }} {% include 'nowhere.html' %}{% block x %}{% if truth %}y{% endif %} -->",
    "<p class='{{ text }}' title=\"{{ text }}\">{{ text }}</p>",
    # Macros
    (
        "{% macro field(name, kind='text') %}<input name=\""
        "{{ name }}\" type=\"{{ kind }}\">{% endmacro %}{{ field('a') }}{{ field(text, kind='n') }}"
    ),
    "{{ later('x') }}{% macro later(a) %}[{{ a }}{{ number }}]{% endmacro %}",
    "{% macro all(first, *rest, **more) %}{{ first }}{{ rest }}{{ more }}{% endmacro %}{{ all(1, 2, 3, a=4) }}",
    "{% macro one(a) %}[{{ a }}]{% endmacro %}{{ one(1, 2, other=3) }}{{ one() }}",
    (
        "{% macro card(title) %}<b>{{ title }}</b>{{ caller() | safe }}"
        "{% endmacro %}{% call card('t') %}<i>in</i>{% endcall %}"
    ),
    # Files
    "{% include 'html/nav.html' %}",
    "{% include 'html/nav' %}",
    "{% include 'html/card.html' with title='T', size=number %}",
    "{% for i in items %}{% include 'html/item.asok' %}{% endfor %}",
    "{% from 'html/macros.html' import button, link %}{{ button('x') }}{{ link(text) }}",
    "{% extends 'html/base.html' %}{% block title %}T{% endblock %}{% block main %}<p>{{ text }}</p>{% endblock %}",
    "{% extends 'html/two.html' %}{% block main %}I{{ number }}{% endblock %}ignored",
    "{% extends 'html/titled.html' %}{% block title %}T{{ number }}{% endblock %}",
    "{% extends 'html/titled.html' %}{% block main %}{% block title %}T{{ number }}{% endblock %}{% endblock %}",
    "{% extends 'html/rows.html' %}{% block row %}<{{ i }}:{{ loop.index }}>{% endblock %}",
    (
        "{% extends 'html/base.html' %}{% block main %}"
        "{% from 'html/macros.html' import button %}{{ button('z') }}{% endblock %}"
    ),
]
"""The texts of templates."""

FILES = {
    "html/nav.html": "<nav>{{ person.name }}</nav>",
    "html/card.html": "<h2>{{ title }} {{ size }} {{ number }}</h2>",
    "html/item.asok": "<li>{{ i }} {{ loop.index }}",
    "html/macros.html": "{% macro button(label) %}<button>{{ label }}{{ number }}</button>{% endmacro %}\n"
    "{% macro link(to, label='go') %}<a href=\"{{ to }}\">{{ button(label) }}</a>{% endmacro %}",
    "html/base.html": "<title>{% block title %}Site{% endblock %}</title><main>\n{% block main %}{% endblock main %}"
    "\n</main>{% block foot %}<footer>{{ number }}</footer>{% endblock %}",
    "html/two.html": "{% extends 'html/base.html' %}{% block main %}two"
    "{% endblock %}{% block foot %}foot{% endblock %}",
    "html/titled.html": "<title>{% block title %}S{% endblock %}</title><h1>{% block title %}S{% endblock %}</h1>"
    "{% block main %}{% endblock %}",
    "html/rows.html": "{% for i in items %}{% block row %}{% endblock %}{% endfor %}",
}
"""The project's partials."""


AGES = [0, 60, 120, 3600, 7200, 86400, 2 * 86400, 8 * 86400, 20 * 86400, 40 * 86400, 400 * 86400, 900 * 86400]
"""Seconds."""


def _times_of(age):
    """The time that was so long ago, with and without a time zone, and as text."""
    return datetime.now() - age, datetime.now(UTC) - age, (datetime.now() - age).isoformat()


def context(safe_string):
    class Thing:
        name = "<thing>"
        _hidden = "hidden"
        id = 5

        def call(self, a, b):
            return f"{a}{b}"

        def __repr__(self):
            return "<Thing id=5>"

    class Printed:
        def __str__(self):
            return safe_string("<u>")

    return {
        "text": "<a \"b\" 'c' & d>", "number": 3, "nothing": None, "truth": True, "items": [1, 2, 3], "added": [],
        "empty": [], "key": "age", "long": "x" * 200,
        "person": {"name": "Ann <x>", "nick": "", "age": 40},
        "shadow": {"items": 2, "other": 1},
        "people": [{"name": "Al", "active": True}, {"name": "Bo", "active": False}, {"name": "Cy", "active": True}],
        "tags": {"a": "</script>&'"}, "thing": Thing(), "html": safe_string("<i>"), "printed": Printed(),
        "moment": datetime(2026, 3, 4, 5, 6), "ancient": datetime(1800, 1, 1), "distant": datetime(2300, 1, 1),
        "ahead": datetime(2060, 1, 1),
        "aged": [time for age in AGES for time in _times_of(timedelta(seconds=age + 20))],
        "double": lambda n: n * 2,
    }  # fmt: skip


def write_files(folder):
    for name, text in FILES.items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    from asok.templates import SafeString, render_template_string

    def rendered(text, folder):
        try:
            return render_template_string(text, context(SafeString), root_dir=[folder])
        except Exception as error:
            return f"{type(error).__name__}: {error}".splitlines()[0]

    with TemporaryDirectory() as folder:
        write_files(folder)
        sys.stdout.write(json.dumps([rendered(text, folder) for text in [*TABLE, *GENERATED]]))

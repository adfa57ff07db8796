"""What public signatures promise: what waits is named so, times are seconds or timedeltas, and types have names."""

import inspect
import re
import types
import typing
from collections import abc

from scripts.named_types import class_origins, public_origins, signature_types
from scripts.reference_pages import GIVEN
from scripts.release import ROOT
from scripts.surface import SURFACE, surface, unexplained
from tests.helpers.public_members import public_functions, public_objects
from tests.helpers.rows import rows
from tests.test_public_names import PUBLIC

ASYNC_ONLY = {
    "antiphon.features.ProtectedResource.verify": "called by Users, before the handler",
    "antiphon.App.startup": "steps, which the lifecycle calls",
    "antiphon.App.shutdown": "steps, which the lifecycle calls",
    **{
        f"antiphon.WebSocket.{name}": "it blocks in a `def` handler"
        for name in ("accept", "close", "receive", "receive_as", "send", "send_each")
    },
    "antiphon.types.Lifetime.ended": "it waits, where code that blocks asks",
    "antiphon.types.Run.ask": "it waits for a person",
    "antiphon.features.Table.aload": "a table whose rows need no await loads them when it is made",
    "antiphon.features.Tools.call": "the application runs in the task",
}
"""Coroutine functions that have no counterpart which blocks, and why."""
FUNCTIONS = public_functions()


def is_awaited(function):
    returns = inspect.signature(function).return_annotation
    if isinstance(returns, str):
        return inspect.iscoroutinefunction(function) or returns.startswith(("Coroutine[", "Awaitable["))
    parts = [returns, *typing.get_args(returns)] if isinstance(returns, types.UnionType) else [returns]
    awaitable = any(typing.get_origin(part) in (abc.Awaitable, abc.Coroutine) for part in parts)
    return inspect.iscoroutinefunction(function) or awaitable


AWAITED = [name for name, function in FUNCTIONS.items() if is_awaited(function)]


@rows("name", [name for name in AWAITED if name not in ASYNC_ONLY])
def test_what_is_awaited_is_named_after_what_blocks(name):
    owner, _, own = name.rpartition(".")
    blocking = FUNCTIONS[f"{owner}.{own[1:]}"]
    assert not is_awaited(blocking)
    assert list(inspect.signature(blocking).parameters) == list(inspect.signature(FUNCTIONS[name]).parameters)


def test_what_has_no_counterpart_is_there():
    assert ASYNC_ONLY.keys() <= set(AWAITED)


NO_TIMEDELTA = {
    "antiphon.features.stores.ChannelLog.expire.seconds": "seconds, which channels pass on",
    "antiphon.features.stores.ChannelLog.renew.ttl": "seconds, which channels pass on",
    "antiphon.features.stores.check_ttl.ttl": "seconds, which features pass on",
    "antiphon.types.Gauge.add.amount": "of whatever the gauge counts",
    "antiphon.types.Gauge.set.value": "of whatever the gauge counts",
    "antiphon.types.Histogram.observe.value": "of whatever the histogram counts",
    "antiphon.features.ToolCall.progress.done": "of whatever the tool counts",
    "antiphon.features.ToolCall.progress.total": "of whatever the tool counts",
    "antiphon.features.OwnedEntry.changed": "a moment",
    "antiphon.features.OwnedEntry.created": "a moment",
    "antiphon.features.OwnedEntry.expires": "a moment",
    "antiphon.testing.pairs.Option.rate": "a part of the routes",
    "antiphon.http.ServerTiming.dur": "the header's own parameter, in milliseconds",
    "antiphon.features.StoreCount.seconds_left": "what a store gives",
    "antiphon.features.StoreEntry.changed": "a moment",
    "antiphon.features.StoreEntry.created": "a moment",
    "antiphon.features.StoreEntry.expires": "a moment",
    "antiphon.types.Route.deadline": "what ``deadline=`` was, in seconds",
    "antiphon.Observer.waited.seconds": "what was measured",
    **{f"antiphon.features.{observer}.waited.seconds": "what was measured"
       for observer in ("AccessLog", "Metrics", "OpenTelemetry", "Recorder")},
    **{f"antiphon.types.{kind}.{method}.n": "how many" for kind in ("Language", "Texts")
       for method in ("find", "ngettext", "npgettext")},
    **{f"antiphon.features.{store}.{method}.ttl": "seconds, which features pass on"
       for store in ("Store", "CookieStore", "MemoryStore", "PostgresStore", "SQLiteStore", "ValkeyStore")
       for method in ("add", "change", "increment", "replace")},
}  # fmt: skip
"""Parameters that are numbers, or have the name of a duration, and take no timedelta, and why."""


def parameter_types():
    """Return the type of each parameter as text, by its name: ``antiphon.App.url_for._expires``."""
    for name, function in FUNCTIONS.items():
        for parameter in inspect.signature(function).parameters.values():
            options = typing.get_args(parameter.annotation)
            if parameter.kind is inspect.Parameter.VAR_KEYWORD and options and typing.is_typeddict(options[0]):
                yield from ((f"{name}.{key}", as_text(kind)) for key, kind in options[0].__annotations__.items())
            else:
                yield f"{name}.{parameter.name}", as_text(parameter.annotation)


def as_text(annotation):
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "") or str(annotation)


def test_every_duration_is_in_seconds_or_a_timedelta():
    numbers = {name: kind for name, kind in parameter_types() if re.search(r"\b(int|float)\b", kind)}
    durations = {name.rpartition(".")[2] for name, kind in numbers.items() if "timedelta" in kind}
    wrong = [
        name
        for name, kind in numbers.items()
        if "timedelta" not in kind and (kind.startswith("float") or name.rpartition(".")[2] in durations)
    ]
    assert durations > {"deadline", "timeout", "max_age", "retry", "idle"}
    assert sorted(wrong) == sorted(NO_TIMEDELTA)


INNER = {
    "antiphon.App.override": "a dependency, such as Request.session",
    "antiphon.Response.make_conditional": "a Request is one",
    **dict.fromkeys(
        ("antiphon.features.Runs.astart", "antiphon.features.Runs.start"), "a call of a restartable function"
    ),
    **dict.fromkeys(("antiphon.testing.AsyncClient.__init__", "antiphon.testing.Client.__init__"), "an application"),
    "antiphon.types.Mount.all_above": "sessions, which tell applications with one cookie apart",
}
"""Functions that take a type without a public name, and what programs pass to them."""
ORIGINS = {origin for place in PUBLIC for origin in public_origins(place)}


def unnamed_types():
    for name, value in public_objects().items():
        is_made = name not in GIVEN and not name.startswith("antiphon.types.")
        if inspect.isclass(value):
            origins = class_origins(value)
        else:
            origins = [(value.__module__, value.__name__)] if inspect.isfunction(value) else []
        for origin in origins:
            for wanted, member in signature_types(*origin, made_by_hand=is_made):
                if wanted not in ORIGINS:
                    yield (f"{name}.{member}" if inspect.isclass(value) else name), ".".join(wanted)


def test_every_type_that_they_name_has_a_public_name():
    unnamed = dict(unnamed_types())
    assert {name: wanted for name, wanted in unnamed.items() if name not in INNER} == {}
    assert unnamed.keys() == INNER.keys()


def test_a_difference_to_the_last_version_is_in_the_changelog():
    changes = (ROOT / "CHANGELOG.md").read_text().partition("\n## Unreleased\n")[2].partition("\n## ")[0]
    now = surface()
    before = SURFACE.read_text().splitlines()[1:] if SURFACE.exists() else now  # there is none before the first version
    assert unexplained(before, now, changes) == []


@rows("before, now, changes, missing", [
    (["antiphon.App.get(p:self)"], ["antiphon.App.get(p:self, k:name=None)"], "", ["get"]),
    (["antiphon.features.Keep"], ["antiphon.features.Recorder"], "`Keep` is now `Recorder`.", []),
    (["how-to/metrics.md antiphon_threads"], [], "`antiphon_threads_busy` is new.", ["antiphon_threads"]),
    (["reference/command.md 4"], [], "The exit code 4 is gone.", []),
])  # fmt: skip
def test_a_difference_that_the_changelog_lacks_is_named(before, now, changes, missing):
    assert unexplained(before, now, changes) == missing

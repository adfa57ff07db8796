"""Random applications are the same over each interface, mounted or not, and leave nothing behind: a few of them here.

``python -m tests.random_apps`` tries as many as its time allows, with a new seed each time, and on servers, too.
"""

import pytest

from tests.helpers.free_threading import frees_at_once
from tests.random_apps.programs import Part, Program, program_of
from tests.random_apps.requests import SentRequest
from tests.random_apps.running import differences
from tests.random_apps.served import served_differences
from tests.random_apps.shrinking import as_text, shrunk

pytestmark = pytest.mark.once
SEEDS = range(3)  # each takes five seconds of a processor; `scripts/weekly random-apps` tries more, with new seeds


@pytest.mark.parametrize("seed", SEEDS)
@frees_at_once
def test_a_program_is_the_same_every_way(seed):
    assert differences(program_of(seed)) == []


@pytest.mark.processes
def test_programs_are_the_same_on_servers():
    assert served_differences([program_of(seed) for seed in SEEDS]) == []


def test_a_seed_always_makes_the_same_program():
    assert program_of(3) == program_of(3)
    assert program_of(3) != program_of(4)


HARMLESS = tuple(
    Part(
        f'@app.get("/{name}")\ndef {name}(request):\n    return "{name}"',
        requests=(SentRequest("GET", f"/{name}"),),
    )
    for name in ("first", "second", "third")
)
DIFFERS = Part(
    '@app.get("/differs")\ndef differs(request):\n    return str(request.head.blocks)',
    requests=(SentRequest("GET", "/differs"),),
)
LEAVES = Part(
    '@app.get("/leaves")\ndef leaves(request):\n    circle = []\n    circle.append(circle)\n    return "left"',
    requests=(SentRequest("GET", "/leaves"),),
)
OPENS = Part(
    '@app.get("/opens")\ndef opens(request):\n    import os\n\n    return str(os.dup(0) > 0)',
    requests=(SentRequest("GET", "/opens"),),
)


@pytest.mark.parametrize(
    ("part", "what"), [(DIFFERS, "wsgi: 200"), (LEAVES, "objects to the collector"), (OPENS, "files")]
)
@frees_at_once
def test_what_differs_is_found_and_shown_in_the_shortest_program(part, what, capsys):
    parts = (*HARMLESS, part)
    program = Program(parts, tuple(request for each in parts for request in each.requests))
    found = differences(program)
    assert [what in each.what for each in found[:1]] == [True]
    shortest = shrunk(program, lambda each: any(what in one.what for one in differences(each, found[0].ways)))
    assert (shortest.parts, shortest.requests) == ((part,), part.requests)
    exec(compile(as_text(shortest), "shortest.py", "exec"), {"__name__": "shortest"})
    assert f"wsgi GET {part.requests[0].target} 200" in capsys.readouterr().out

"""Paths that fit a rule nearly everywhere, so that trying would take hours."""

from functools import partial

from antiphon.dialects.werkzeug import routing

PATHS = {
    "/<a>-<b>-<c>-<int:d>": lambda size: "-" * size + "x",
    "/<path:a>/<path:b>/<path:c>/end": lambda size: "a/" * size,
    "/<path:a>/<path:b>/<path:c>x/": lambda size: "a/" * size,
    "/<a><int:b>": lambda size: "1" * size + "x",
    "/<path:a>x<path:b>x<path:c>x<path:d>.y": lambda size: "x" * size,
    "/<any(a, aa):b><string(maxlength=300):c>-<d>": lambda size: "a" * size,
}


def _test(rule, make, scale):
    adapter, path = routing.Map([routing.Rule(rule, endpoint="x")]).bind("example.com"), f"/{make(1000 * scale)}"
    return lambda: adapter.test(path)


GROWING = {rule: partial(_test, rule, make) for rule, make in PATHS.items()}

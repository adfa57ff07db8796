"""Long inputs for what is written in C, and for its twins in Python."""

from functools import partial

from tests.helpers.twins import compiled, extension, pure

START = b'--b\r\nContent-Disposition: form-data; name="a"'
LONG = {
    "parse_fields": [b"&", b"=", b"%", b"a=%41&", b"%ff", b"%zz+", b"%E2%82"],
    "checked_fields": [[("a", "b")]],
    "declared": [[("a", "b")]],
    "set_defaults": [[1], [[]], [{}], [None, 2j]],
    "field_line": ["a", "Z-", "~"],
    "split_cookies": [";", "=", " ", "a=b;", '"', "ä;"],
    "crossed_bounds": [b"[", b"]", b"[]", b'"', b"\\", b'"[', b'\\"', b"e", b"1e100", b'"1e100"', b"\\u0000"],
    "split_usual_form": [b"\r", b"\r\n--", b"\r\n--b", b"x", b'\r\n--b%s"\r\n\r\n' % START[3:]],
    "encode_fields": [[("a", "b")]],
    "index_lines": [[(b"a", b"")]],
}
OTHERS = {
    "crossed_bounds": [200, 100, 100],
    "declared": [()],
    "field_line": ["a"],
    "split_usual_form": [b"\r\n--b", 1 << 20, 1024],
}
STARTS = {"split_usual_form": b'--b%s"\r\n\r\n' % START[3:]}


def _call(function, start, unit, others, scale):
    data = start + 1000 * scale * unit
    return lambda: function(data, *others)


GROWING = {
    f"{name} of {unit!r} in {language}": partial(
        _call, twin(name), STARTS.get(name, unit[:0]), unit, OTHERS.get(name, [])
    )
    for language, twin in {"Python": pure, **({"C": compiled} if extension else {})}.items()
    for name, units in LONG.items()
    for unit in units
}

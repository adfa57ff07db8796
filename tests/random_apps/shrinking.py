"""The shortest program in which something still differs."""

from collections.abc import Callable

from antiphon.testing.pairs.shrinking import fewest
from tests.random_apps.programs import Program
from tests.random_apps.requests import TOKEN, SentRequest

REPRODUCED = """\
from antiphon.testing import BrokenResponse, Client

for interface in ("wsgi", "asgi", "rsgi"):
    with Client({app}, interface, raise_errors=False, follow_redirects=False) as client:
        for method, path, fields, body in [
{requests}
        ]:
            options = {{}} if body is None else {{"body": body}}
            with client.stream(method, path, headers=fields, **options) as response:
                print(interface, method, path, response.status, dict(response.headers))
                try:
                    print("   ", b"".join(response)[:300])
                except BrokenResponse as error:
                    print("   ", error)
"""


def shrunk(program: Program, differs: Callable[[Program], bool]) -> Program:
    """Return a program without all that ``differs`` does not need: requests first, then parts."""
    program = _with_few_requests(program, differs)
    is_shorter = True
    while is_shorter:
        is_shorter = False
        for part in reversed(program.parts):
            shorter = program.without_part(part)
            if part in program.parts and _still(shorter, differs):
                program, is_shorter = shorter, True
    return _with_few_requests(program, differs)


def _with_few_requests(program: Program, differs: Callable[[Program], bool]) -> Program:
    return program.with_requests(fewest(program.requests, lambda sent: _still(program.with_requests(sent), differs)))


def _still(program: Program, differs: Callable[[Program], bool]) -> bool:
    """Return True if a program differs. One that is not whole any more, and can't be made, does not."""
    try:
        return differs(program)
    except Exception:
        return False


MOUNTED = """\
outer = App()
outer.mount("", app)

"""


def as_text(program: Program, *, is_mounted: bool = False) -> str:
    """Return a program, with its requests, as a script that prints what each interface answers."""
    requests = "\n".join(f"            {_printed(request)}," for request in program.requests)
    reproduced = REPRODUCED.format(requests=requests, app="outer" if is_mounted else "app")
    return f"{program.source}\n\n\n{MOUNTED if is_mounted else ''}{reproduced}"


def _printed(request: SentRequest) -> str:
    fields = [(name, "" if value == TOKEN else value) for name, value in request.fields]
    if request.is_cut and isinstance(request.body, bytes):
        fields.append(("content-length", str(len(request.body))))
    return repr((request.method, request.target, fields, _printed_body(request)))


def _printed_body(request: SentRequest) -> bytes | list[bytes] | None:
    if request.is_cut and isinstance(request.body, bytes):
        return [request.body[:-7]]
    return list(request.body) if isinstance(request.body, tuple) else request.body

"""The request and the response of web.py: `web.ctx`, and the functions that read and change it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from antiphon import Request, Upload
from antiphon.embedding import RequestLocal, make_environ
from antiphon.http import SetCookie
from antiphon_webpy.errors import BadRequest


class Storage(dict[str, Any]):
    """A dictionary whose keys are attributes, too."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        self.pop(name, None)


storage = Storage


class Context(Storage):
    """The values of one request, and the status and headers of its response."""

    def __init__(self, native: Request) -> None:
        query = native.query_string.decode("latin-1")
        domain = f"{native.scheme}://{native.headers.get('host', '')}"
        super().__init__(
            native=native, status="200 OK", headers=[], output="", method=native.method, path=native.path,
            query=f"?{query}" if query else "", host=native.headers.get("host"), protocol=native.scheme,
            ip=native.client.host if native.client else None, homedomain=domain, homepath=native.root_path,
            home=domain + native.root_path, realhome=domain + native.root_path,
        )  # fmt: skip
        self.fullpath = self.path + self.query

    def __missing__(self, name: str) -> Any:
        """Make the environ when a program asks for it."""
        if name not in ("env", "environ"):
            raise KeyError(name)
        self["env"] = self["environ"] = made = make_environ(self.native)
        return made


ctx: Any = RequestLocal(Context)
"""The context of the current request."""


def header(hdr: str, value: Any, unique: bool = False) -> None:
    """Add a header field; with ``unique``, only if there is none with its name. Raises ValueError for line ends."""
    if any(end in f"{hdr}{value}" for end in "\r\n"):
        raise ValueError("a header must be one line")
    if not (unique and any(name.lower() == hdr.lower() for name, _ in ctx.headers)):
        ctx.headers.append((hdr, str(value)))


def data() -> bytes:
    """Return the body."""
    return bytes(ctx.native.body)


class File:
    """A file of a form: its name, its bytes, and an open file."""

    def __init__(self, upload: Upload) -> None:
        self.name = upload.field_name
        self.filename = upload.filename
        self.type = upload.mimetype
        self.file = upload

    @property
    def value(self) -> bytes:
        """All bytes of the file."""
        self.file.seek(0)
        return self.file.read()


def input(*required: str, **defaults: Any) -> Storage:  # noqa: A001 - web.py's name
    """Return the fields of the query and of the form. A list as the default asks for all values of a name.

    ``_method`` is "both", "get" or "post". Raises BadRequest if a required field is missing.
    """
    native: Request = ctx.native
    method = str(defaults.pop("_method", "both")).lower()
    fields: dict[str, list[Any]] = {}
    if method in ("both", "post", "put") and native.method in ("POST", "PUT", "PATCH"):
        for name, value in native.form.items():
            fields.setdefault(name, []).append(value)
        for name, upload in native.files.items():
            wants_file = isinstance(defaults.get(name), dict)
            fields.setdefault(name, []).append(File(upload) if wants_file else File(upload).value)
    if method in ("both", "get"):
        for name, value in native.args.items():
            fields.setdefault(name, []).append(value)
    if any(name not in fields for name in required):
        raise BadRequest
    found = Storage(defaults)
    for name, values in fields.items():
        found[name] = values if isinstance(defaults.get(name), list) else values[-1]
    return found


def cookies(*required: str, **defaults: Any) -> Storage:
    """Return the cookies. Raises BadRequest if a required one is missing."""
    sent = dict(ctx.native.cookies.items())
    if any(name not in sent for name in required):
        raise BadRequest
    return Storage({**defaults, **sent})


def setcookie(
    name: str, value: str, expires: int | str = "", domain: str | None = None, secure: bool = False,
    httponly: bool = False, path: str | None = None, samesite: Any = None,
) -> None:  # fmt: skip
    """Set a cookie. ``expires`` is a number of seconds; below 0, the browser forgets the cookie."""
    until = datetime.now(UTC) + timedelta(seconds=expires) if isinstance(expires, int) else None
    cookie = SetCookie(
        name, value, expires=until, domain=domain, secure=secure, httponly=httponly,
        path=path or f"{ctx.homepath}/", samesite=samesite,
    )  # fmt: skip
    ctx.headers.append(("Set-Cookie", str(cookie)))

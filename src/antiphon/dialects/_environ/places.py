"""The target of a request in its environ: server, host and path."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_DEFAULT_PORTS = {"http": ":80", "ws": ":80", "https": ":443", "wss": ":443"}


def text_of(value: str, charset: str = "utf-8") -> str:
    """Decode a value of an environ, where each byte is one character (PEP 3333). Invalid bytes become U+FFFD."""
    return value if value.isascii() else value.encode("latin-1").decode(charset, "replace")


def server_of(environ: "WSGIEnvironment") -> tuple[str, int | None] | None:
    """Return the name and port of the server, without a port for a Unix socket."""
    name = environ.get("SERVER_NAME")
    if name is None:
        return None
    port = str(environ.get("SERVER_PORT", ""))
    return name, int(port) if port.isascii() and port.isdigit() else None


def host_of(scheme: str, header: str | None, server: tuple[str, int | None] | None) -> str | None:
    """Return the host of the Host header, else of the server, without the scheme's default port; None without one.

    Nothing checks that it is well-formed.
    """
    if header is not None:
        return without_default_port(header, scheme)
    if server is None or server[1] is None:
        return None
    name = f"[{server[0]}]" if ":" in server[0] and server[0][0] != "[" else server[0]
    return without_default_port(f"{name}:{server[1]}", scheme)


def without_default_port(host: str, scheme: str) -> str:
    """Return a host without the port that its scheme implies."""
    return host.removesuffix(_DEFAULT_PORTS[scheme]) if scheme in _DEFAULT_PORTS else host


def shift_path(environ: "WSGIEnvironment") -> str | None:
    """Move the next segment of the path from PATH_INFO to SCRIPT_NAME and return it, or None if the path is empty."""
    path = environ.get("PATH_INFO", "")
    if not path:
        return None
    rest = path.lstrip("/")
    segment, slash, after = rest.partition("/")
    slashes = "/" * (len(path) - len(rest))
    environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + slashes + segment
    environ["PATH_INFO"] = slash + after
    return text_of(segment)

"""Environs, as servers make them, and forms to put into them."""

from io import BytesIO

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=between"
CONTENT = bytes(range(256)) * 8


def environ(body=b"", **keys):
    """An environ with a body and other keys (``__`` is a dot in their names); None removes one."""
    made = {
        "REQUEST_METHOD": "POST" if body else "GET",
        "SCRIPT_NAME": "", "PATH_INFO": "/a/b", "QUERY_STRING": "a=1&b=two%20words&a=3", "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "example.com:8000",
        "REMOTE_ADDR": "192.0.2.7", "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": BytesIO(body),
        "wsgi.errors": None, "wsgi.multithread": False, "wsgi.multiprocess": True, "wsgi.run_once": False,
    }  # fmt: skip
    if body:
        made["CONTENT_LENGTH"] = str(len(body))
    made |= {key.replace("__", "."): value for key, value in keys.items()}
    return {key: value for key, value in made.items() if value is not None}


def part(content, disposition='form-data; name="field"', *fields):
    lines = [f"Content-Disposition: {disposition}", *fields, "", ""]
    return b"--between\r\n" + "\r\n".join(lines).encode() + content + b"\r\n"


def parts(*several):
    return b"".join(several) + b"--between--\r\n"


def form(method="POST", **keys):
    """An environ with a form in parts: a field and a file."""
    body = parts(
        part("J\xf6rg".encode(), 'form-data; name="name"'),
        part(CONTENT, 'form-data; name="upload"; filename="a.bin"', "Content-Type: application/x-thing; a=b"),
    )
    return environ(body, CONTENT_TYPE=MULTIPART, REQUEST_METHOD=method, **keys)


def called(application, env):
    """Status, headers and body of an application's answer, which is closed."""
    started = []
    answer = application(env, lambda status, headers, exc_info=None: started.append((status, headers)))
    try:
        body = b"".join(answer)
    finally:
        if hasattr(answer, "close"):
            answer.close()
    return (*started[0], body)


def fields(application, **keys):
    return dict(called(application, environ(**keys))[1])

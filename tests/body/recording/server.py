"""A server that keeps each POST as it came over the wire, and gives everybody one page."""

from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread

PAGE = Path(__file__).with_name("page.html")


class Recorder(ThreadingTCPServer):
    """``recorded`` has the requests by the last part of their paths."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.recorded: dict[str, bytes] = {}
        self.page_data = b"{}"
        Thread(target=self.serve_forever, daemon=True).start()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Exchange(StreamRequestHandler):
    server: Recorder

    def handle(self) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline()
            if not line:
                return
            head += line
        method, target = head.split(b" ", 2)[:2]
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
        body = self._read_body(fields)
        if method == b"POST":
            self.server.recorded[target.decode().rpartition("/")[2]] = head + body
        self._respond(target)

    def _read_body(self, fields: dict[bytes, bytes]) -> bytes:
        if fields.get(b"transfer-encoding") != b"chunked":
            return self.rfile.read(int(fields.get(b"content-length", b"0")))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        return body

    def _respond(self, target: bytes) -> None:
        content, kind = b"ok", b"text/plain"
        if target.startswith(b"/page"):
            content, kind = PAGE.read_bytes(), b"text/html"
        elif target == b"/forms.json":
            content, kind = self.server.page_data, b"application/json"
        self.wfile.write(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b"
            % (kind, len(content), content)
        )

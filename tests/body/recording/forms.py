"""What the clients are told to send."""

from typing import NamedTuple


class Sent(NamedTuple):
    """One field or file of a form, as an application gives it to a client. Line breaks in it are CRLF."""

    name: str
    content: bytes
    filename: str | None = None
    content_type: str | None = None

    @property
    def value(self) -> str:
        return self.content.decode()


TEXT = "text/plain"
BINARY = "application/octet-stream"

FORMS: dict[str, list[Sent]] = {
    "names": [
        Sent(name, b"value")
        for name in (
            "plain", 'with "quotes"', '"', "back\\slash", "ends with \\", "new\r\nline", "100%", "100%25", "naïve",
            "ключ 日本 😀", "semi;colon, and 'comma'", "array[key][]", "name", "name",
        )
    ],
    "values": [
        Sent("empty", b""),
        Sent("lines", b"one\r\ntwo\r\n"),
        Sent("only a line break", b"\r\n"),
        Sent("dashes", b"--\r\n--boundary\r\n--boundary--\r\n"),
        Sent("unicode", "naïve 日本 😀".encode()),
        Sent("header", b'Content-Disposition: form-data; name="a"\r\n\r\nb'),
        Sent("escapes", b"a+b%20c&d=e;f"),
    ],
    "filenames": [
        Sent("file", filename.encode(), filename, TEXT)
        for filename in (
            "plain.txt", "two words.txt", 'with "quotes".txt', "back\\slash.txt", "ends with \\", "100%.txt",
            "naïve.txt", "отчёт 日本 😀.txt", "semi;colon, and 'comma'.txt",
        )
    ],
    "several": [
        Sent("before", b"a field"),
        Sent("files", b"first", "a.txt", TEXT),
        Sent("files", b"", "empty.bin", BINARY),
        Sent("files", b"third\r\n", "a.txt", TEXT),
        Sent("between", b"another field"),
        Sent("other", b"{}", "data.json", "application/json"),
    ],
    "binary": [
        Sent("bytes", bytes(range(256)) * 4, "bytes.bin", BINARY),
        Sent("line breaks", b"\r\n" * 50 + b"\r" * 50 + b"\n" * 50 + b"\r\n--", "line breaks.bin", BINARY),
    ],
    "large": [Sent("file", b"".join(b"%7d\r\n" % line for line in range(8000)), "large.txt", TEXT)],
    "nothing": [],
}  # fmt: skip
FOR_BROWSERS = FORMS | {
    "not-chosen": [Sent("field", b"value"), Sent("file", b"", "", BINARY), Sent("after", b"value")],
    "latin-1": [Sent("naïve", "naïve".encode()), Sent("file", b"content", "naïve.txt", "text/plain")],
    "urlencoded": FORMS["names"] + FORMS["values"],
}
ONLY_CHROMIUM = {"large", "nothing"}
"""Once is enough for the one; libraries send the other, a form without fields, as no form at all."""


def told(recorded: str) -> list[Sent]:
    """What a client was told to send in a request that is recorded under this name."""
    client = recorded.partition("-")[0]
    if client == "chromium":
        return FOR_BROWSERS[recorded.removeprefix("chromium-").removeprefix("fetch-").removeprefix("submit-")]
    form = [sent for sent in FORMS[recorded.rpartition("-")[2]] if can_send(recorded, sent)]
    # It sends all fields before the first file.
    return sorted(form, key=lambda sent: sent.filename is not None) if client == "httpx" else form


def can_send(recorded: str, sent: Sent) -> bool:
    """aiohttp refuses line breaks in names; curl, told to escape by backslashes, writes them as they are."""
    return not recorded.startswith(("aiohttp-", "curl-backslashes-")) or "\r\n" not in sent.name

"""Paths (RFC 3986 §3.3, CWE-22): no path leaves the folder of files, and none leads a browser to another site."""

from urllib.parse import quote_from_bytes

from tests.dialects.attacks.attack import CLOSED, REFUSED, Attack, get

REDIRECTS = (301, 302, 303, 307, 308)
MISSING = {*REFUSED, CLOSED, *REDIRECTS}
WITH_FILES_BY_NAME = ("asok", "flask", "werkzeug")
OUTSIDE = [
    b"../outside.txt", b"..%2foutside.txt", b"%2e%2e/outside.txt", b"%2e%2e%2foutside.txt", b".%2e/outside.txt",
    b"..%5coutside.txt", b"..\\outside.txt", b"sub/../../outside.txt", b"sub/%2e%2e/%2e%2e/outside.txt",
    b"..%252foutside.txt", b"%252e%252e%252foutside.txt", b"%c0%ae%c0%ae/outside.txt", b"%c0%ae%c0%ae%c0%afoutside.txt",
    b"..%c0%afoutside.txt", b"%e0%80%ae%e0%80%ae/outside.txt", b"..%00/outside.txt", b"page.txt%00/../../outside.txt",
    b"/etc/passwd", b"%2fetc%2fpasswd", b"//etc/passwd", b"../../../../../../../../etc/passwd",
    b"%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd", b"....//outside.txt", b"..;/outside.txt",
    b"..%ef%bc%8foutside.txt", b"%uff0e%uff0e/outside.txt", b"..%01/outside.txt", b"./../outside.txt",
    b"../static-beside/file.txt", b"..%2fstatic-beside%2ffile.txt", b"../uploads-beside/file.txt", b"..", b"%2e%2e",
    b"..%2f", b"%2e%2e%2f", b"C:%5cWindows%5cwin.ini", b"C:/Windows/win.ini", b"file:///etc/passwd", b"~root/.bashrc",
    b"%7eroot/.bashrc", b"\\\\localhost\\share", b"%5c%5clocalhost%5cshare", b"page.txt%00", b"page.txt%00.png",
    b"page.txt/", b"page.txt/.", b"page.txt%2f..", b"page.txt::$DATA", b"PAGE.TXT%20", b"%ff%fe",
    b"a" * 5000,
    b"a/" * 2000,
    b".%00./outside.txt", b"%2e%00%2e/outside.txt", b"con", b"nul.txt", b"sub%2f..%2f..%2foutside.txt",
]  # fmt: skip
ELSEWHERE = [
    b"//evil.example/slash", b"//evil.example/%2e%2e", b"//evil.example/named/a", b"/\\evil.example/named/a",
    b"/%5cevil.example/named/a", b"//evil.example", b"//evil.example/", b"///evil.example/named/a",
    b"/%2fevil.example/named/a", b"/named//evil.example", b"/named/%5cevil.example", b"/.//evil.example/named/a",
    b"/;//evil.example/slash", b"//evil.example/static/sub", b"/static//evil.example", b"/static/sub", b"/static/sub//",
    b"/slash//", b"/slash", b"//evil.example%2f..", b"/%09/evil.example/slash", b"/http://evil.example/slash",
    b"/named/http://evil.example", b"//evil.example/slash/%2e%2e/%2e%2e", b"/static/%2fevil.example/..",
    b"/static/%5cevil.example%5c..", b"//localhost@evil.example/slash", b"/static//evil.example/%2e%2e/sub",
    b"//evil.example/..%2fslash", b"/static/../slash", b"/slash?//evil.example",
]  # fmt: skip
TO = [
    b"//evil.example", b"/\\evil.example", b"\\\\evil.example", b"\\/evil.example", b"https:evil.example",
    b"http:///evil.example", b"/\t/evil.example", b"\t//evil.example", b"/\n/evil.example", b"javascript:alert(1)",
    b"https://evil.example", b"data:text/html,x", b"///evil.example", b"/..//evil.example",
    b"http://localhost@evil.example", b"http://localhost.evil.example", b" //evil.example", b"http:\\\\evil.example",
    b"\x01//evil.example", b"/%09/evil.example", b"//evil.example:80", b"http://localhost\\@evil.example",
]  # fmt: skip


ATTACKS = [
    *[Attack(f"below the files: {path[:40].decode()}", get(b"/static/" + path), {200, *MISSING}) for path in OUTSIDE],
    *[
        Attack(
            f"a file's name: {path[:40].decode()}",
            get(b"/file?name=" + path.replace(b"\\", b"%5c")),
            {200, *MISSING},
            dialects=WITH_FILES_BY_NAME,
        )
        for path in OUTSIDE
    ],
    Attack("below the files: a link", get(b"/static/link/file.txt"), {200, *MISSING}),
    Attack("a file's name: a link", get(b"/file?name=link/file.txt"), {200, *MISSING}, dialects=WITH_FILES_BY_NAME),
    *[Attack(f"a redirect from {path.decode()}", get(path), {200, *MISSING}) for path in ELSEWHERE],
    *[
        Attack(
            f"Asok's redirect to {to!r}",
            get(b"/redirect?to=" + quote_from_bytes(to).encode()),
            {*REDIRECTS, *REFUSED, 500},
            dialects=("asok",),
        )
        for to in TO
    ],
]

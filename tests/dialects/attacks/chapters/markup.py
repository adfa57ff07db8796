"""Markup of a client's (CWE-79): no page of an error or a redirect, and no header, has it as markup."""

from tests.dialects.attacks.attack import CLOSED, REFUSED, Attack, get, post, request

REDIRECTS = (301, 302, 303, 307, 308)
ANY = {*range(200, 400), *REFUSED, CLOSED, 500}
SCRIPT = b"%3Cscript%3Ealert(1)%3C/script%3E"
ATTRIBUTE = b"%22onload=alert(1)%20%27onload=alert(1)"
ACCEPTED = {"HTML": b"text/html", "JSON": b"application/json", "anything": b"*/*", "XHTML": b"application/xhtml+xml"}
SENT = {"a script": SCRIPT, "an attribute": ATTRIBUTE, "a closed element": b"%3C/pre%3E%3C/title%3E" + SCRIPT}
PLACES = {
    "a missing page": b"/missing/%b", "the name of a page": b"/named/%b",
    "the redirect to a page's name": b"/named/a/%b", "the query of a missing page": b"/missing?a=%b",
    "the query of a redirect": b"/slash?a=%b", "the query of an error": b"/fail?a=%b",
    "a location": b"/redirect?to=/%b", "a location elsewhere": b"/redirect?to=javascript:%b",
    "a location of a whole URL": b"/redirect?to=http://localhost/%b",
    "the name of a field": b"/field?name=%b&value=a", "the value of a field": b"/field?name=X-A&value=%b",
    "the name of a cookie": b"/cookie?name=%b&value=a", "a file that is not there": b"/static/%b",
    "a folder that is redirected": b"/static/sub?%b", "the name of a file": b"/file?name=%b",
    "the name of a download": b"/download?name=%b",
}  # fmt: skip
FIELDS = {
    "Host": b"Host: <script>alert(1)</script>",
    "If-Modified-Since": b"If-Modified-Since: <script>alert(1)</script>",
    "Content-Encoding": b"Content-Encoding: <script>alert(1)</script>",
    "Expect": b"Expect: <script>alert(1)</script>",
    "Referer": b"Referer: http://localhost/<script>alert(1)</script>",
    "Accept": b"Accept: <script>alert(1)</script>",
    "Accept-Language": b"Accept-Language: <script>alert(1)</script>",
    "User-Agent": b"User-Agent: <script>alert(1)</script>",
}
RAW = [b"/<script>alert(1)</script>", b"/missing?<script>alert(1)</script>", b"/%ff<script>alert(1)</script>"]
HTML = b"Accept: text/html"


def has_no_result(conversation):
    """No template of the client's was evaluated."""
    return "a template was evaluated" if conversation.first and b"4949" in conversation.first.body else None


ATTACKS = [
    *[
        Attack(
            f"{what} in {place}, for {kind}", get(path % text, b"Accept: " + accepted), ANY, may_leave=b"?to=" in path
        )
        for what, text in SENT.items()
        for place, path in PLACES.items()
        for kind, accepted in ACCEPTED.items()
        if kind == "HTML" or what == "a script"
    ],
    *[Attack(f"a script as it is in {path!r}", get(path, HTML), ANY) for path in RAW],
    *[
        Attack(f"a script as {name} of a missing page", get(b"/missing", HTML, line), ANY)
        for name, line in FIELDS.items()
    ],
    *[
        Attack(
            f"a script by {method.decode()}",
            request(method, b"/read/" + SCRIPT, HTML),
            {*REFUSED, CLOSED, *REDIRECTS},
            methods=(method.decode(),),
        )
        for method in (b"GET", b"DELETE", b"HEAD", b"<script>alert(1)</script>")
    ],
    *[
        Attack(f"a script as {body[:40]!r}, {kind[:40]!r}", post(path, kind, body, HTML), ANY, methods=("POST",))
        for path, kind, body in [
            (b"/json", b"application/json", b"<script>alert(1)</script>"),
            (b"/json", b"application/json", b'{"<script>alert(1)</script>": '),
            (b"/form", b"multipart/form-data; boundary=<script>alert(1)</script>", b"x"),
            (
                b"/form",
                b"multipart/form-data; boundary=x",
                b"--x\r\n<script>alert(1)</script>: 1\r\n\r\n1\r\n--x--\r\n",
            ),
            (b"/form", b"application/x-www-form-urlencoded; charset=<script>alert(1)</script>", b"a=1"),
            (b"/missing", b"<script>alert(1)</script>", b"<script>alert(1)</script>"),
        ]
    ],
    Attack("a template in a path", get(b"/%7B%7B7*7%7D%7D$%7B7*7%7D%3C%25=7*7%25%3E", HTML), ANY, check=has_no_result),
]

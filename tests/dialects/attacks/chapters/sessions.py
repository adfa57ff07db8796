"""Sessions: a cookie counts only as it was signed, and nothing of one visitor is seen by the next."""

import base64
import hashlib
import hmac
import json
import pickle
import zlib
from concurrent.futures import ThreadPoolExecutor

from tests.dialects.attacks.attack import Attack, Play, get, unsafe
from tests.dialects.attacks.wire import converse

SIGNED = ("flask", "microdot", "pyramid", "webob")
"""Those whose cookie is the session itself."""
KEEPING = ("asok", *SIGNED)
FLASHING = ("asok", "flask", "pyramid")


def cookie_of(site, target=b"/login?user=ada", *fields):
    """The cookie that a login sets, as it is sent back."""
    answer = converse(site.address, get(target, *fields)).first
    return answer.get("set-cookie").partition(";")[0]


def user_of(site, cookie):
    """Who a site takes the sender of a cookie for; the status if it answers with an error."""
    conversation = converse(site.address, get(b"/whoami", b"Cookie: " + cookie.encode("latin-1")))
    if failure := unsafe(conversation):
        return failure
    answer = conversation.first
    return answer.body.decode().partition(" ")[0] if answer.status == 200 else answer.status


def nobody_by(change):
    """A step that fails if a changed cookie of Ada's is one of anybody's."""

    def play(site):
        cookie = cookie_of(site)
        if user_of(site, cookie) != "ada":
            return f"the login does not hold: {user_of(site, cookie)}"
        name, _, value = cookie.partition("=")
        changed = change(value)
        user = user_of(site, f"{name}={changed}") if changed != value else "None"
        return None if user == "None" else f"the cookie {changed[:60]!r} is {user}"

    return play


def flipped(position):
    def change(value):
        index = position % len(value)
        return value[:index] + ("A" if value[index] != "A" else "B") + value[index + 1 :]

    return change


def encoded(data):
    """Base64 for URLs, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(header, payload, key=b""):
    signed = ".".join(encoded(json.dumps(part).encode()) for part in (header, payload))
    return f"{signed}.{encoded(hmac.digest(key, signed.encode(), 'sha256') if key else b'')}"


class Run:
    def __reduce__(self):
        return exec, ("from tests.dialects.attacks.sites import common; common.smuggled.append('a pickle')",)


PICKLED = pickle.dumps(Run())
BY_PICKLE = base64.b64encode(hmac.digest(b"", PICKLED, hashlib.sha512) + PICKLED).decode()

CHANGES = {
    "its first character": flipped(0),
    "a character in its middle": lambda value: flipped(len(value) // 2)(value),
    "a character of its signature": flipped(-3),
    "no signature": lambda value: value.rpartition(".")[0] or value[:10],
    "an empty signature": lambda value: value.rpartition(".")[0] + ".",
    "a signature alone": lambda value: value.rpartition(".")[2] if "." in value else value[-30:],
    "cut off": lambda value: value[: len(value) // 2],
    "nothing": lambda value: "",
    "dots": lambda value: "." * 100,
    "text": lambda value: "ada",
    "JSON": lambda value: encoded(b'{"user": "ada"}'),
    "a token without a signature": lambda value: token({"alg": "none", "typ": "JWT"}, {"user": "ada"}),
    "a token with an empty key": lambda value: token({"alg": "HS256", "typ": "JWT"}, {"user": "ada"}, b"\0"),
    "a token of another algorithm": lambda value: token({"alg": "RS256", "jwk": {"k": "AA"}}, {"user": "ada"}, b"AA"),
    "a token by a file's key": lambda value: token({"alg": "HS256", "kid": "/dev/null"}, {"user": "ada"}, b"\0"),
    "a pickle": lambda value: base64.b64encode(PICKLED).decode(),
    "a pickle behind a signature": lambda value: BY_PICKLE,
    "a pickle for URLs": lambda value: encoded(PICKLED) + ".AAAA." + "A" * 27,
    "60 KiB": lambda value: "A" * 50_000,
    "bytes": lambda value: "\xff\xfe",
    "compressed": lambda value: "." + encoded(zlib.compress(b'{"user": "ada"}')) + ".AAAA." + "A" * 27,
    "a path": lambda value: "../../../../etc/passwd",
}


def key_of_another(site):
    """A session signed with a different key is no session."""
    from itsdangerous import URLSafeTimedSerializer

    serializer = URLSafeTimedSerializer(
        "a different key", "cookie-session", signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha1}
    )
    name = cookie_of(site).partition("=")[0]
    user = user_of(site, f"{name}={serializer.dumps({'user': 'ada'})}")
    return None if user == "None" else f"the session of a different key is {user}"


def fixation(site):
    """A key of a session that the client chose is not the key of a login."""
    name = cookie_of(site).partition("=")[0]
    chosen = f"{name}=chosen-by-the-attacker"
    cookie_of(site, b"/login?user=ada", b"Cookie: " + chosen.encode())
    user = user_of(site, chosen)
    return None if user == "None" else f"the chosen key is {user}"


def two_cookies(site):
    """A forged cookie beside the right one is no other user."""
    cookie = cookie_of(site)
    name = cookie.partition("=")[0]
    users = {user_of(site, f"{name}=forged; {cookie}"), user_of(site, f"{cookie}; {name}=forged")}
    return None if users <= {"ada", "None"} else f"two cookies are {users}"


def flags(site):
    """The cookie of a session can't be read by scripts, and is of the whole site."""
    cookie = converse(site.address, get(b"/login?user=ada")).first.get("set-cookie").lower()
    return None if "httponly" in cookie and "domain" not in cookie else f"the cookie has {cookie.partition(';')[2]}"


def next_request(site):
    """A visitor without a cookie is nobody, after and beside logins."""
    with ThreadPoolExecutor(8) as threads:
        logins = [threads.submit(cookie_of, site, b"/login?user=user%d" % number) for number in range(16)]
        visits = [threads.submit(converse, site.address, get(b"/whoami")) for _ in range(16)]
        for login in logins:
            login.exception()
        seen = {visit.result().first.body.decode() for visit in visits}
    seen |= {converse(site.address, get(b"/whoami")).first.body.decode() for _ in range(5)}
    return f"others see {seen}" if any("user" in each for each in seen) else None


def same_connection(site):
    """A second request on a connection is not the user of the first."""
    conversation = converse(site.address, get(b"/login?user=ada", ends=False) + get(b"/whoami"))
    bodies = [answer.body for answer in conversation.answers]
    return None if len(bodies) == 2 and b"ada" not in bodies[1] else f"the second request is {bodies}"


def failed_request(site):
    """A request after one that failed is nobody's."""
    name_and_key = cookie_of(site)
    converse(site.address, get(b"/fail", b"Cookie: " + name_and_key.encode()))
    seen = [converse(site.address, get(b"/whoami")).first.body for _ in range(5)]
    return f"others see {seen}" if any(b"ada" in each for each in seen) else None


def messages(site):
    """A message is shown to the visitor for whom it was kept, once, and to no other."""
    cookie = cookie_of(site, b"/flash?text=secret-message")
    others = converse(site.address, get(b"/flashed")).first.body
    own = converse(site.address, get(b"/flashed", b"Cookie: " + cookie.encode())).first.body
    if b"secret-message" in others or b"secret-message" not in own:
        return f"others see {others!r}, the visitor sees {own!r}"
    return None


def concurrent(site):
    """Each of many visitors at once is himself."""
    cookies = {f"user{number}": cookie_of(site, b"/login?user=user%d" % number) for number in range(8)}
    with ThreadPoolExecutor(8) as threads:
        seen = {name: [threads.submit(user_of, site, cookie) for _ in range(4)] for name, cookie in cookies.items()}
        wrong = {name: each.result() for name, visits in seen.items() for each in visits if each.result() != name}
    return f"visitors are others: {wrong}" if wrong else None


ATTACKS = [
    *[Play(f"a session that is {name}", nobody_by(change), dialects=KEEPING) for name, change in CHANGES.items()],
    Play("a session of a different key", key_of_another, dialects=KEEPING),
    Play("a session's key that the client chose", fixation, dialects=KEEPING),
    Play("two cookies of one session", two_cookies, dialects=KEEPING),
    Play("flags of a session's cookie", flags, dialects=("asok", "flask", "microdot")),
    Play("the next request", next_request),
    Play("the next request on a connection", same_connection, dialects=KEEPING),
    Play("a request after one that failed", failed_request, dialects=KEEPING),
    Play("messages of another visitor", messages, dialects=FLASHING),
    Play("many visitors at once", concurrent, dialects=KEEPING),
    *[
        Attack(f"a user named {name}", get(b"/login?user=" + text), {200, 400, 500}, dialects=KEEPING)
        for name, text in {
            "CRLF": b"a%0d%0aX-Injected:1", "an attribute": b"a;%20Domain=evil.example", "NUL": b"%00",
            "bytes": b"%ff%fe", "markup": b"%3Cscript%3Ealert(1)%3C/script%3E", "10,000 letters": b"a" * 10_000,
        }.items()
    ],
]  # fmt: skip

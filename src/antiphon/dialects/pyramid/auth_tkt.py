"""Tickets that identify a user, signed like those of Apache's mod_auth_tkt, and the cookie that carries them."""

import base64
import hashlib
import re
import time as clock
import warnings
from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import quote, unquote

from antiphon.dialects.pyramid.util import SimpleSerializer, ascii_, bytes_, strings_differ, text_
from antiphon.dialects.webob.cookies import CookieProfile

VALID_TOKEN = re.compile(r"^[A-Za-z][A-Za-z0-9+_-]*\Z")
NO_IP = "0.0.0.0"  # noqa: S104 - the address in tickets that are valid everywhere
_TYPE = "userid_type:"
_TIME_DIGITS = 8


def b64encode(v: Any) -> bytes:
    """Encode text or bytes as base64."""
    return base64.b64encode(bytes_(v))


def b64decode(v: Any) -> bytes:
    """Decode base64 given as text or bytes. Raises binascii.Error."""
    return base64.b64decode(bytes_(v))


class BadTicket(Exception):
    """Raised for a ticket that can't be parsed or has a wrong signature."""

    def __init__(self, msg: str, expected: Any = None) -> None:
        self.expected = expected
        super().__init__(msg)


class AuthTicket:
    """A ticket for a user at an address. The user id must be ASCII text."""

    def __init__(
        self,
        secret: Any,
        userid: Any,
        ip: str,
        tokens: Any = (),
        user_data: str = "",
        time: float | None = None,
        cookie_name: str = "auth_tkt",
        secure: bool = False,
        hashalg: str = "md5",
    ) -> None:
        self.secret = secret
        self.userid = userid
        self.ip = ip
        self.tokens = ",".join(tokens)
        self.user_data = user_data
        self.time = clock.time() if time is None else time
        self.cookie_name = cookie_name
        self.secure = secure
        self.hashalg = hashalg

    def digest(self) -> str:
        return calculate_digest(self.ip, self.time, self.secret, self.userid, self.tokens, self.user_data, self.hashalg)

    def cookie_value(self) -> str:
        """Return the ticket as text that contains the signature, time, user, tokens and data."""
        tokens = f"{self.tokens}!" if self.tokens else ""
        return f"{self.digest()}{int(self.time):08x}{quote(self.userid)}!{tokens}{self.user_data}"


def parse_ticket(secret: Any, ticket: Any, ip: str, hashalg: str = "md5") -> tuple[int, str, list[str], str]:
    """Return the time, user, tokens and data in a ticket. Raises BadTicket."""
    text = str(text_(ticket)).strip('"')
    size = hashlib.new(hashalg).digest_size * 2
    digest, timestamp, rest = text[:size], text[size : size + _TIME_DIGITS], text[size + _TIME_DIGITS :]
    try:
        time = int(timestamp, 16)
    except ValueError as error:
        raise BadTicket(f"Timestamp is not a hex integer: {error}") from None
    userid, mark, data = rest.partition("!")
    if not mark:
        raise BadTicket("userid is not followed by !")
    userid = unquote(userid)
    tokens, mark, user_data = data.partition("!")
    if not mark:
        tokens, user_data = "", data
    expected = calculate_digest(ip, time, secret, userid, tokens, user_data, hashalg)
    if strings_differ(expected, digest):
        raise BadTicket("Digest signature is not correct", expected=(expected, digest))
    return time, userid, tokens.split(","), user_data


def calculate_digest(
    ip: str, timestamp: float, secret: Any, userid: Any, tokens: Any, user_data: Any, hashalg: str = "md5"
) -> str:
    """Return a ticket's signature: a hash of the secret and of an inner hash that also includes the secret."""
    secret, userid, tokens, user_data = (bytes_(each, "utf-8") for each in (secret, userid, tokens, user_data))
    place = bytes_(f"{ip}{int(timestamp)}") if ":" in ip else encode_ip_timestamp(ip, timestamp)
    inner = hashlib.new(hashalg, place + secret + userid + b"\0" + tokens + b"\0" + user_data).hexdigest()
    return hashlib.new(hashalg, inner.encode() + secret).hexdigest()


def encode_ip_timestamp(ip: str, timestamp: float) -> bytes:
    """Encode an IPv4 address and a time in seconds as four bytes each."""
    return bytes(map(int, ip.split("."))) + (int(timestamp) & 0xFFFFFFFF).to_bytes(4)


class AuthTktCookieHelper:
    """A helper that reads, sets and deletes the ticket cookie.

    ``timeout`` is the lifetime of a ticket, and ``reissue_time`` the age at which it is replaced, both in seconds.
    ``include_ip`` restricts a ticket to one address. The cookie's domain is ``domain``; with ``wild_domain``, the host;
    or, with ``parent_domain``, the host's parent domain.
    """

    parse_ticket = staticmethod(parse_ticket)
    AuthTicket = AuthTicket
    BadTicket = BadTicket
    now: float | None = None
    """A fixed time to use, or None for the current time."""

    userid_type_decoders: ClassVar[dict[str, Callable[[Any], Any]]] = {
        "int": int,
        "unicode": lambda value: bytes_(value, "utf-8").decode(),
        "b64unicode": lambda value: b64decode(value).decode(),
        "b64str": b64decode,
    }
    userid_type_encoders: ClassVar[dict[type, tuple[str, Callable[[Any], Any]]]] = {
        int: ("int", str),
        str: ("b64unicode", lambda value: b64encode(value.encode())),
        bytes: ("b64str", b64encode),
    }

    def __init__(
        self,
        secret: Any,
        cookie_name: str = "auth_tkt",
        secure: bool = False,
        include_ip: bool = False,
        timeout: Any = None,
        reissue_time: Any = None,
        max_age: Any = None,
        http_only: bool = False,
        path: str = "/",
        wild_domain: bool = True,
        hashalg: str = "sha512",
        parent_domain: bool = False,
        domain: str | None = None,
        samesite: str | None = "Lax",
    ) -> None:
        self.cookie_profile: Any = CookieProfile(
            cookie_name=cookie_name,
            secure=secure,
            max_age=max_age,
            httponly=http_only,
            path=path,
            serializer=SimpleSerializer(),
            samesite=samesite,
        )
        self.secret = secret
        self.cookie_name = cookie_name
        self.secure = secure
        self.include_ip = include_ip
        self.timeout = timeout if timeout is None else int(timeout)
        self.reissue_time = reissue_time if reissue_time is None else int(reissue_time)
        self.max_age = max_age if max_age is None else int(max_age)
        self.wild_domain = wild_domain
        self.parent_domain = parent_domain
        self.domain = domain
        self.hashalg = hashalg

    def _cookie_domain(self, request: Any) -> str | None:
        if self.domain:
            return self.domain
        host: str = request.domain
        if self.parent_domain and host.count(".") > 1:
            return host.partition(".")[2]
        return host if self.wild_domain else None

    def _get_cookies(self, request: Any, value: Any, max_age: int | None = None) -> Any:
        options: dict[str, Any] = {} if max_age is None else {"max_age": max_age}
        return self.cookie_profile(request).get_headers(value, domains=[self._cookie_domain(request)], **options)

    def _address(self, request: Any) -> str:
        return request.environ["REMOTE_ADDR"] if self.include_ip else NO_IP

    # Reading

    def identify(self, request: Any) -> dict[str, Any] | None:
        """Return the time, user id, tokens and data in the ticket, or None if there is no valid ticket."""
        cookie = request.cookies.get(self.cookie_name)
        if cookie is None:
            return None
        try:
            found = self.parse_ticket(self.secret, cookie, self._address(request), self.hashalg)
        except self.BadTicket:
            return None
        timestamp, userid, tokens, user_data = found
        now = clock.time() if self.now is None else self.now
        if self.timeout and timestamp + self.timeout < now:
            return None
        userid = self._decoded(userid, user_data)
        if self.reissue_time is not None and now - timestamp > self.reissue_time:
            tokens = self._reissue(request, userid, tokens)
        request.environ.update(REMOTE_USER_TOKENS=tokens, REMOTE_USER_DATA=user_data, AUTH_TYPE="cookie")
        return {"timestamp": timestamp, "userid": userid, "tokens": tokens, "userdata": user_data}

    def _decoded(self, userid: Any, user_data: str) -> Any:
        for datum in user_data.split("|"):
            if datum.startswith(_TYPE):
                decode = self.userid_type_decoders.get(datum[len(_TYPE) :])
                userid = decode(userid) if decode else userid
        return userid

    def _reissue(self, request: Any, userid: Any, tokens: list[str]) -> list[str]:
        """Send a new ticket with the response, once, unless the program sends one. Return the tokens."""
        if hasattr(request, "_authtkt_reissued"):
            return tokens
        tokens = [*filter(None, tokens)]
        headers = self.remember(request, userid, max_age=self.max_age, tokens=tokens)

        def add_headers(request: Any, response: Any) -> None:
            if not hasattr(request, "_authtkt_reissue_revoked"):
                response.headerlist.extend(headers)

        request.add_response_callback(add_headers)
        request._authtkt_reissued = True  # noqa: SLF001 - set by this class
        return tokens

    # Writing

    def forget(self, request: Any) -> Any:
        request._authtkt_reissue_revoked = True  # noqa: SLF001 - set by this class
        return self._get_cookies(request, None)

    def remember(self, request: Any, userid: Any, max_age: Any = None, tokens: Any = ()) -> Any:
        """Return the headers that set the cookie. Raises ValueError for tokens that are not ASCII names."""
        encoding, encode = self._encoder(userid)
        checked = tuple(_checked_token(token) for token in tokens)
        if hasattr(request, "_authtkt_reissued"):
            request._authtkt_reissue_revoked = True  # noqa: SLF001 - set by this class
        ticket = self.AuthTicket(
            self.secret,
            encode(userid),
            self._address(request),
            tokens=checked,
            user_data=f"{_TYPE}{encoding}",
            cookie_name=self.cookie_name,
            secure=self.secure,
            hashalg=self.hashalg,
        )
        return self._get_cookies(request, ticket.cookie_value(), self.max_age if max_age is None else int(max_age))

    def _encoder(self, userid: Any) -> tuple[str, Callable[[Any], Any]]:
        known = self.userid_type_encoders.get(type(userid))
        if known:
            return known
        warnings.warn(
            f"userid is of type {type(userid)}, and is kept as text: a ticket has int, str and bytes",
            RuntimeWarning,
            stacklevel=3,
        )
        encoding, encode = self.userid_type_encoders[str]
        return encoding, lambda value: encode(str(value))


def _checked_token(token: Any) -> str:
    try:
        if isinstance(token, str) and VALID_TOKEN.match(ascii_(token)):
            return token
    except UnicodeEncodeError:
        pass
    raise ValueError(f"Invalid token {token!r}")

"""What Antiphon, Werkzeug and WebOb read in a header, as plain values that can be compared; None is for nothing.

The questions are methods. What a library does not read, it is not asked.
"""

import warnings
from datetime import UTC, datetime

import werkzeug.http
from werkzeug import datastructures

from antiphon import Request, Response
from antiphon.http.conditional import ETag

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of the module cgi, which it imports
    import webob
    from webob import acceptparse, byterange, datetime_utils, descriptors, etag

HOUR = 3600
TAGS = [ETag("a"), ETag("b"), ETag("a,b"), ETag("")]


class Library:
    """What is asked of all in the same way: the best of some offers."""

    def media_type(self, header):
        return self.best("accept", header, ["text/html", "application/json", "image/png"])

    def language(self, header):
        return self.best("accept_languages", header, ["en", "de", "fr"])

    def coding(self, header):
        return self.best("accept_encodings", header, ["br", "gzip"])

    def charset(self, header):
        return self.best("accept_charsets", header, ["utf-8", "iso-8859-1"])


class Antiphon(Library):
    def request(self, name, header):
        return Request.blank(headers={name: header})

    def best(self, attribute, header, offers):
        name = attribute.removesuffix("s").replace("_", "-")
        return getattr(self.request(name, header), attribute).best(offers)

    def strong_tags(self, header):
        listed = self.request("if-match", header).if_match
        return [tag.tag for tag in TAGS if listed.strong_match(tag)]

    def weak_tags(self, header):
        listed = self.request("if-none-match", header).if_none_match
        return [tag.tag for tag in TAGS if tag in listed]

    def range(self, header):
        found = self.request("range", header).range
        return None if found is None else (found.unit, list(found.ranges))

    def content_range(self, header):
        found = self.request("content-range", header).content_range
        return None if found is None else (found.unit, found.first, found.last, found.length)

    def cache_control(self, header):
        found = self.request("cache-control", header).cache_control
        return found.max_age, found.no_store, bool(found.no_cache), found.max_stale

    def credentials(self, header):
        found = self.request("authorization", header).authorization
        if found is None:
            return None
        token = None if found.scheme == "basic" else found.token
        return found.scheme, found.username, found.password, token, dict(found.parameters)

    def challenges(self, header):
        found = Response(headers={"www-authenticate": header}).www_authenticate
        return [(challenge.scheme, dict(challenge.parameters)) for challenge in found]

    def file(self, header):
        found = Response(headers={"content-disposition": header}).content_disposition
        return None if found is None else (found.type, found.filename)

    def essence(self, header):
        found = self.request("content-type", header).content_type
        return None if found is None else found.essence

    def content_type(self, header):
        found = self.request("content-type", header).content_type
        return None if found is None else (found.essence, dict(found.parameters))

    def cookies(self, header):
        return dict(self.request("cookie", header).cookies)

    def date(self, header):
        return self.request("date", header).date

    def retry_after(self, header):
        return Response(headers={"retry-after": header}).retry_after


class Werkzeug(Library):
    KINDS = {  # noqa: RUF012 - it is not changed
        "accept": datastructures.MIMEAccept,
        "accept_languages": datastructures.LanguageAccept,
        "accept_charsets": datastructures.CharsetAccept,
        "accept_encodings": datastructures.Accept,
    }

    def best(self, attribute, header, offers):
        return werkzeug.http.parse_accept_header(header, self.KINDS[attribute]).best_match(offers)

    def strong_tags(self, header):
        listed = werkzeug.http.parse_etags(header)
        return [tag.tag for tag in TAGS if not tag.weak and listed.contains(tag.tag)]

    def weak_tags(self, header):
        listed = werkzeug.http.parse_etags(header)
        return [tag.tag for tag in TAGS if listed.contains_weak(tag.tag)]

    def range(self, header):
        found = werkzeug.http.parse_range_header(header)
        if found is None:
            return None
        spans = [(None, -first) if first < 0 else (first, last and last - 1) for first, last in found.ranges]
        return found.units, spans

    def content_range(self, header):
        found = werkzeug.http.parse_content_range_header(header)
        if found is None:
            return None
        return found.units, found.start, found.stop and found.stop - 1, found.length

    def cache_control(self, header):
        found = werkzeug.http.parse_cache_control_header(header, cls=datastructures.RequestCacheControl)
        return found.max_age, found.no_store, bool(found.no_cache), found.max_stale

    def credentials(self, header):
        found = datastructures.Authorization.from_header(header)
        if found is None:
            return None
        basic = found.type == "basic"
        parameters = {} if basic else found.parameters
        return found.type, found.get("username"), found.get("password"), found.token, parameters

    def challenges(self, header):
        found = datastructures.WWWAuthenticate.from_header(header)
        return [] if found is None else [(found.type, dict(found.parameters))]

    def file(self, header):
        kind, parameters = werkzeug.http.parse_options_header(header)
        return (kind, parameters.get("filename")) if kind else None

    def essence(self, header):
        return werkzeug.Request({"CONTENT_TYPE": header}).mimetype or None

    def content_type(self, header):
        kind, parameters = werkzeug.http.parse_options_header(header)
        return (kind, parameters) if kind else None

    def cookies(self, header):
        return dict(werkzeug.http.parse_cookie(header))

    def date(self, header):
        return werkzeug.http.parse_date(header)

    def retry_after(self, header):
        return seconds_or_date(header, werkzeug.Response(headers={"Retry-After": header}).retry_after)


class WebOb(Library):
    KINDS = {  # noqa: RUF012 - it is not changed
        "accept": acceptparse.create_accept_header,
        "accept_languages": acceptparse.create_accept_language_header,
        "accept_charsets": acceptparse.create_accept_charset_header,
        "accept_encodings": acceptparse.create_accept_encoding_header,
    }

    def best(self, attribute, header, offers):
        accepted = self.KINDS[attribute](header)
        if attribute == "accept_languages":
            found = accepted.lookup(offers, default="") if hasattr(accepted, "basic_filtering") else offers[0]
            return found or None
        offered = accepted.acceptable_offers(offers)
        return offered[0][0] if offered else None

    def strong_tags(self, header):
        listed = etag.etag_property("HTTP_IF_MATCH", etag.NoETag, "", strong=True)
        found = listed.fget(webob.Request.blank("/", headers={"If-Match": header}))
        return [tag.tag for tag in TAGS if not tag.weak and tag.tag in found]

    def weak_tags(self, header):
        found = webob.Request.blank("/", headers={"If-None-Match": header}).if_none_match
        return [tag.tag for tag in TAGS if tag.tag in found]

    def range(self, header):
        found = byterange.Range.parse(header)
        if found is None:
            return None
        start, end = found.start, found.end
        return "bytes", [(None, -start) if start < 0 else (start, end and end - 1)]

    def content_range(self, header):
        found = byterange.ContentRange.parse(header)
        return None if found is None else ("bytes", found.start, found.stop and found.stop - 1, found.length)

    def cache_control(self, header):
        found = webob.Request.blank("/", headers={"Cache-Control": header}).cache_control
        return found.max_age, bool(found.no_store), bool(found.no_cache), found.max_stale

    def challenges(self, header):
        scheme, parameters = descriptors.parse_auth(header)
        return [(scheme.lower(), parameters)]

    def essence(self, header):
        return webob.Request.blank("/", headers={"Content-Type": header}).content_type or None

    def cookies(self, header):
        return dict(webob.Request.blank("/", headers={"Cookie": header}).cookies)

    def date(self, header):
        return datetime_utils.parse_date(header)

    def retry_after(self, header):
        return seconds_or_date(header, webob.Response(headers={"Retry-After": header}).retry_after)


def seconds_or_date(header, moment):
    """Of a moment that was counted from now, the hours as seconds, as the header had them."""
    if moment is None or not header.lstrip("+-").isdigit():
        return moment
    return round((moment.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds() / HOUR) * HOUR


ANTIPHON = Antiphon()
OTHERS = {"werkzeug": Werkzeug(), "webob": WebOb()}


def ask(library, question, header):
    """The answer; what is raised instead of one is the answer, too, by its type."""
    try:
        return getattr(library, question)(header)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        return type(error)

"""What a browser does by itself for sessions bound to its device, with a key that it keeps."""

import json
from base64 import urlsafe_b64encode

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from antiphon.http.structured_fields import parse_structured_list
from antiphon.testing import CookieJar

EC_KEY, RSA_KEY = ECKey.generate_key("P-256"), RSAKey.generate_key(2048)


def proof(challenge, key, *, is_registration=False, header=(), payload=()):
    """Return a proof: a JWT whose header has the public key if it is a registration."""
    shown = {"jwk": key.as_dict(private=False)} if is_registration else {}
    algorithm = "ES256" if key.key_type == "EC" else "RS256"
    head = {"typ": "dbsc+jwt", "alg": algorithm, **shown, **dict(header)}
    signed = ".".join(_encode(json.dumps(part).encode()) for part in (head, {"jti": challenge, **dict(payload)}))
    return f"{signed}.{_encode(jws.JWSRegistry.algorithms[algorithm].sign(signed.encode(), key))}"


def _encode(part):
    return urlsafe_b64encode(part).rstrip(b"=").decode()


class BoundBrowser:
    """A client that registers a key when it is offered to, and renews its cookie before a request that needs it.

    ``begun`` is what the registration's response said, ``refreshed`` the statuses of renewals.
    """

    def __init__(self, client, clock, key=EC_KEY):
        self.client, self.key = client, key
        self.begun = None
        self.offered = None
        self.refreshed = []
        client.cookies = CookieJar(client.base_url.host, clock)

    def get(self, path, **options):
        return self.send("GET", path, **options)

    def post(self, path, **options):
        return self.send("POST", path, **options)

    def send(self, method, path, **options):
        """Send a request as the user's, with what comes before and after it."""
        if self.begun and self.begun["credentials"][0]["name"] not in self.client.cookies:
            self.refresh()
        response = self.client.request(method, path, **options)
        if (offer := response.headers.get("secure-session-registration")) is not None:
            ((offered),) = parse_structured_list(offer)
            self.offered = offered.parameters
            assert [each.value for each in offered.items] == ["ES256", "RS256"]
            self.register()
        return response

    def register(self, key=None, **changes):
        sent = proof(self.offered["challenge"], key or self.key, is_registration=True, **changes)
        response = self.client.post(self.offered["path"], headers={"secure-session-response": sent})
        if response.status == 200:
            self.begun = response.json
        return response

    def refresh(self, key=None, **changes):
        """Renew the cookie: ask for a challenge, and sign it. A session that has ended is forgotten."""
        headers = {"sec-secure-session-id": self.begun["session_identifier"]}
        response = self.ask(headers)
        if response.status == 403:
            ((challenge),) = parse_structured_list(response.headers["secure-session-challenge"])
            assert challenge.parameters == {"id": self.begun["session_identifier"]}
            sent = proof(challenge.value, key or self.key, **changes)
            response = self.ask({**headers, "secure-session-response": sent})
        self.refreshed.append(response.status)
        if response.status == 404:
            self.begun = None
        return response

    def ask(self, headers):
        """Send a request for a renewal."""
        return self.client.post(self.offered["path"], headers=headers)

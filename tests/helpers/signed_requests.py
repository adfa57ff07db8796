"""Keys, and an app that answers signed requests, for tests of signatures."""

from functools import cache

from antiphon import App, Request
from antiphon.features import Signatures
from tests.helpers.handlers import in_style


@cache
def private_keys():
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    return {
        "ed25519": ed25519.Ed25519PrivateKey.generate(), "ecdsa-p256-sha256": ec.generate_private_key(ec.SECP256R1()),
        "ecdsa-p384-sha384": ec.generate_private_key(ec.SECP384R1()),
        "rsa-pss-sha512": rsa.generate_private_key(65537, 2048), "hmac-sha256": b"a secret that both sides know",
    }  # fmt: skip


@cache
def public_keys():
    return {name: key if isinstance(key, bytes) else key.public_key() for name, key in private_keys().items()}


def app_of(style, *routes, **options):
    """Return an app with an order that is signed, and says who sent it."""
    app = App()
    app.use(Signatures(options.pop("keys", None) or public_keys(), **options))

    def said(request: Request):
        signer = request.signature
        return {
            "by": signer.key, "algorithm": signer.algorithm, "label": signer.label,
            "headers": dict(request.signature.headers.items()), "body": len(request.body),
        }  # fmt: skip

    handler = in_style(style, said)
    for pattern in routes or ("/orders/<int:number>",):
        app.route(pattern, ("GET", "POST"), signed_by=options.get("name", "partners"))(handler)
    return app

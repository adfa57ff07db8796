"""An authority of the tests' own, and certificates that it signs."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """An authority, whose certificate is in the file ``ca_file``."""

    def __init__(self, folder):
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the tests' authority")])
        self._number = 0
        self.ca_file = str(folder / "authority.pem")
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        certificate = self._signed(
            self._name, self._key.public_key(), [(x509.BasicConstraints(True, None), True), (usage, True)]
        )
        self._write(self.ca_file, certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, host, days=(-1, 1)):
        """Return the files of a certificate for a name or an address, valid from and to these days, and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            names = [x509.IPAddress(ip_address(host))]
        except ValueError:
            names = [x509.DNSName(host)]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        certificate = self._signed(subject, key.public_key(), [(x509.SubjectAlternativeName(names), False)], days)
        certificate_file, key_file = [str(self._folder / f"{self._number}.{kind}.pem") for kind in ("cert", "key")]
        self._write(certificate_file, certificate.public_bytes(serialization.Encoding.PEM))
        pem, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        self._write(key_file, key.private_bytes(serialization.Encoding.PEM, pem, plain))
        return certificate_file, key_file

    def _signed(self, subject, key, extensions, days=(-1, 1)):
        self._number += 1
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number())
        builder = builder.not_valid_before(now + timedelta(days[0])).not_valid_after(now + timedelta(days[1]))
        ours = [
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), False),
            (x509.SubjectKeyIdentifier.from_public_key(key), False),
        ]
        for extension, critical in [*extensions, *ours]:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self._key, hashes.SHA256())

    @staticmethod
    def _write(path, content):
        with open(path, "wb") as file:
            file.write(content)

"""`antiphon run` with a certificate: https over HTTP/1.1 and HTTP/2, a renewed certificate, and wrong files."""

import asyncio
import os
import shutil
import signal
import ssl
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from antiphon.cli.certificates import explain_untimely, explain_unusable, renewals, wait_usable
from tests.helpers.authority import Authority
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.processes]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def test_a_renewed_certificate_is_used_without_a_restart_of_the_server(antiphon, authority, tmp_path, interface):
    files = tmp_path / "shop.crt", tmp_path / "shop.key"
    for issued, file in zip(authority.issue("127.0.0.1"), files, strict=True):
        shutil.copy(issued, file)
    flags = ("--tls-certificate", str(files[0]), "--tls-key", str(files[1]))
    command = antiphon(f"apps:{interface}", "--interface", interface, *flags).serving()
    assert "on https://127.0.0.1:" in command.out
    context = ssl.create_default_context(cafile=authority.ca_file)
    url = f"https://127.0.0.1:{command.port}/"
    with urlopen(url, context=context) as response:
        assert response.read().startswith(interface.encode())
    if interface == "asgi":
        command_line = ["curl", "--silent", "--cacert", authority.ca_file, "--write-out", " %{http_version}", url]
        curl = subprocess.run(command_line, capture_output=True, text=True, check=True, timeout=60)
        assert curl.stdout.endswith(" 2")
    old = ssl.get_server_certificate(("127.0.0.1", command.port))
    for issued, file in zip(authority.issue("127.0.0.1"), files, strict=True):
        shutil.copy(issued, file)
    command.wait_until(lambda: "All workers were replaced." in command.err)
    command.wait_until(lambda: ssl.get_server_certificate(("127.0.0.1", command.port)) != old)
    assert command.err == "".join(
        f"WARNING {line}.\n"
        for line in (
            "The certificate has changed",
            "The workers are replaced, one after another",
            "All workers were replaced",
        )
    )


def test_one_file_alone_is_refused(antiphon, authority):
    command = antiphon("apps:asgi", "--tls-certificate", authority.issue("127.0.0.1")[0])
    assert command.exit_code() == 2
    assert command.err == "Error: --tls-certificate and --tls-key need each other: set both.\n"


@rows(
    "certificate, key, reason",
    ("own", "own", ""),
    ("own", "other", "the key is not that of the certificate"),
    ("own", "encrypted", "the key is encrypted: write it without a password, readable by the server alone"),
    ("own", "text", "they must be a certificate and its private key in PEM"),
    ("text", "own", "they must be a certificate and its private key in PEM"),
    ("missing", "own", "{folder}/missing: No such file or directory"),
    ("own", "missing", "{folder}/missing: No such file or directory"),
    ("own", "folder", "{folder}/folder: Is a directory"),
)
def test_files_that_can_not_be_used_are_refused(authority, tmp_path, certificate, key, reason):
    own, other = authority.issue("localhost"), authority.issue("localhost")
    (tmp_path / "text").write_text("a shop\n")
    (tmp_path / "folder").mkdir(exist_ok=True)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    secret = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "encrypted").write_bytes(secret.private_bytes(*form, serialization.BestAvailableEncryption(b"x")))
    files = {name: str(tmp_path / name) for name in ("text", "missing", "folder", "encrypted")}
    used = explain_unusable({**files, "own": own[0]}[certificate], {**files, "own": own[1], "other": other[1]}[key])
    assert used == reason.format(folder=tmp_path)


@rows(
    "days, told",
    ((-1, 1), ""),
    ((-9, -1), "The certificate has expired ("),
    ((1, 9), "The certificate is not valid yet ("),
    ((-1, 20_000), ""),
    ((-20_000, -1), "The certificate has expired ("),
)
def test_a_certificate_that_clients_refuse_is_told(authority, days, told):
    sentence = explain_untimely(authority.issue("localhost", days)[0])
    assert sentence.startswith(told)
    assert bool(sentence) is bool(told)


def test_files_that_do_not_fit_are_told_once_and_new_workers_wait_for_those_that_do(authority, tmp_path):
    files = str(tmp_path / "shop.crt"), str(tmp_path / "shop.key")

    def put(certificate, key):
        shutil.copy(certificate, files[0])
        shutil.copy(key, files[1])

    async def watch():
        own, other = authority.issue("localhost"), authority.issue("localhost")
        put(*own)
        told = renewals(files, 0.001)
        first = asyncio.ensure_future(anext(told))
        await asyncio.sleep(0.01)
        put(own[0], other[1])
        waiting = asyncio.create_task(wait_usable(files, 0.001))
        assert await first == "the key is not that of the certificate"
        assert not waiting.done()
        put(*other)
        await waiting
        assert await anext(told) == ""

    asyncio.run(watch())


@pytest.mark.parametrize("how", ["reload", "crash"])
def test_the_server_goes_on_while_its_files_do_not_fit(antiphon, authority, tmp_path, how):
    files, own, other = (tmp_path / "shop.crt", tmp_path / "shop.key"), *map(authority.issue, ["127.0.0.1"] * 2)

    def put(*issued):
        for each, file in zip(issued, files, strict=True):
            shutil.copy(each, file)

    put(*own)
    flags = ("--tls-certificate", str(files[0]), "--tls-key", str(files[1]))
    command = antiphon("apps:asgi", *flags, *(["--reload"] if how == "reload" else ["--workers", "2"])).serving()
    context = ssl.create_default_context(cafile=authority.ca_file)

    def responds():
        with suppress(OSError), urlopen(f"https://127.0.0.1:{command.port}/", context=context, timeout=5) as response:
            return response.read().startswith(b"asgi")
        return False

    command.wait_until(lambda: len(command.workers()) == (1 if how == "reload" else 2))
    put(own[0], other[1])
    command.wait_until(lambda: "new workers will wait, since the key" in command.err)
    waits = "A new worker waits for a certificate and a key that it can use, since the key is not that of the certific"
    if how == "reload":
        for number in range(2):
            (tmp_path / "apps.py").write_text(f"{(tmp_path / 'apps.py').read_text()}# {number}\n")
            command.wait_until(lambda: waits in command.err)
            time.sleep(0.5)
    else:
        os.kill(command.workers()[0], signal.SIGKILL)
        command.wait_until(lambda: waits in command.err)
    assert all(responds() for _ in range(4))
    assert command.err.count(waits) == 1
    put(*other)
    command.wait_until(lambda: "The certificate has changed." in command.err)
    told = "Reloaded in" if how == "reload" else "All workers were replaced."
    command.wait_until(lambda: told in command.out + command.err)
    command.wait_until(responds)
    new = ssl.PEM_cert_to_DER_cert(Path(other[0]).read_text())

    def served():
        return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", command.port)))

    # The old workers have been told to end, and may accept a last connection before they read that.
    command.wait_until(lambda: all(served() == new for _ in range(4)))

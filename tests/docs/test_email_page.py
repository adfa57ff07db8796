"""The page on e-mail: its app sends to an SMTP server with TLS and a login, and logs what it can't send."""

import re
import ssl
from base64 import b64decode
from contextlib import suppress
from email import message_from_bytes, policy
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Event, Thread

from antiphon.testing import Client
from tests.helpers.authority import Authority
from tests.helpers.rows import rows

PAGE = (Path(__file__).parents[2] / "docs/how-to/email.md").read_text()
SHOP = re.findall(r"^```python\n(# shop\.py\n.*?)^client = ", PAGE, re.MULTILINE | re.DOTALL)[0]
ORDER = {"email": "ada@example.com", "item": "Café"}


class SMTPServer(ThreadingTCPServer):
    """A server that takes mail, after TLS and a login if it has a certificate."""

    def __init__(self, certificate=None):
        super().__init__(("127.0.0.1", 0), SMTPSession)
        self.certificate = certificate
        self.mails = []
        self.may_answer = Event()
        self.may_answer.set()

    def __enter__(self):
        self._thread = Thread(target=self.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *raised):
        self.may_answer.set()
        self.shutdown()
        self._thread.join()
        self.server_close()


class SMTPSession(StreamRequestHandler):
    """A session of RFC 5321, with STARTTLS and AUTH PLAIN."""

    def handle(self):
        self.server.may_answer.wait()
        self.user, self.has_tls, self.recipients = None, False, []
        self.say("220 mail.test")
        while line := self.rfile.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            getattr(self, f"on_{verb.lower()}")(rest)

    def finish(self):
        super().finish()
        self.connection.close()  # the one with TLS, which the server does not know

    def say(self, *lines):
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def on_ehlo(self, rest):
        certificate = self.server.certificate
        extension = "AUTH PLAIN" if self.has_tls or not certificate else "STARTTLS"
        self.say("250-mail.test", f"250 {extension}")

    def on_starttls(self, rest):
        self.say("220 go ahead")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.server.certificate)
        with suppress(ssl.SSLError):  # a client that does not trust the certificate
            self.request = context.wrap_socket(self.request, server_side=True)
            self.has_tls = True
        self.setup()

    def on_auth(self, rest):
        self.user = b64decode(rest.partition(" ")[2]).split(b"\0")[1:]
        self.say("235 welcome")

    def on_mail(self, rest):
        self.say("250 ok")

    def on_rcpt(self, rest):
        self.recipients.append(rest)
        self.say("250 ok")

    def on_data(self, rest):
        self.say("354 go on")
        raw = b"".join(iter(self.rfile.readline, b".\r\n"))
        mail = message_from_bytes(raw, policy=policy.default)
        self.server.mails.append((mail, self.recipients, self.user, self.has_tls))
        self.say("250 taken")

    def on_quit(self, rest):
        self.say("221 goodbye")


def shop():
    page: dict = {"__name__": "shop"}
    exec(SHOP, page)
    return page


def settings(monkeypatch, server, host, **others):
    for name, value in {"SMTP_HOST": host, "SMTP_PORT": server.server_address[1], **others}.items():
        monkeypatch.setenv(name, str(value))


def test_a_mail_is_sent_with_tls_and_a_login(tmp_path, monkeypatch):
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", authority.ca_file)
    with SMTPServer(authority.issue("localhost")) as server:
        settings(monkeypatch, server, "localhost", SMTP_USER="shop", SMTP_PASSWORD="oboe")
        assert Client(shop()["app"]).post("/orders", form=ORDER).status == 201
    [(mail, recipients, user, has_tls)] = server.mails
    assert (mail["To"], mail["Subject"]) == ("ada@example.com", "Your order")
    assert mail["From"] == "Shop <shop@shop.example>"
    assert mail["Message-ID"].endswith("@shop.example>")
    assert mail["Date"]
    assert mail.get_content() == "Thank you for your order: Café.\r\n"
    assert (recipients, user, has_tls) == (["to:<ada@example.com>"], [b"shop", b"oboe"], True)


def test_a_server_with_a_strange_certificate_gets_no_password(tmp_path, monkeypatch, caplog):
    with SMTPServer(Authority(tmp_path).issue("localhost")) as server:
        settings(monkeypatch, server, "localhost", SMTP_USER="shop", SMTP_PASSWORD="oboe")
        assert Client(shop()["app"]).post("/orders", form=ORDER).status == 201
    assert server.mails == []
    assert "CERTIFICATE_VERIFY_FAILED" in caplog.text


def test_a_server_without_a_login_gets_the_mail_as_it_is(monkeypatch):
    with SMTPServer() as server:
        settings(monkeypatch, server, "127.0.0.1")
        Client(shop()["app"]).post("/orders", form=ORDER)
    assert [(user, has_tls) for _, _, user, has_tls in server.mails] == [(None, False)]


def test_a_server_that_does_not_answer_is_left(monkeypatch, caplog):
    with SMTPServer() as server:
        server.may_answer.clear()
        settings(monkeypatch, server, "127.0.0.1")
        page = shop()
        smtp = page["SMTP"]
        page["SMTP"] = lambda host, port, timeout: smtp(host, port, timeout=timeout / 100)
        assert Client(page["app"]).post("/orders", form=ORDER).status == 201
    assert "timed out" in caplog.text


def test_a_mail_is_logged_without_a_server(monkeypatch, caplog):
    monkeypatch.delenv("SMTP_HOST", raising=False)
    Client(shop()["app"]).post("/orders", form=ORDER)
    assert "To: ada@example.com" in caplog.text


@rows("address", ["a@b, c@d", "a@b\n", "a@b\r\nBcc: c@d", "Ada <a@b>", "a", ""])
def test_an_order_has_one_address(address):
    assert Client(shop()["app"]).post("/orders", form={**ORDER, "email": address}).status == 422


def test_tests_collect_mails():
    page, mails = shop(), []
    page["send_mail"] = mails.append
    Client(page["app"]).post("/orders", form=ORDER)
    assert [mail["To"] for mail in mails] == ["ada@example.com"]

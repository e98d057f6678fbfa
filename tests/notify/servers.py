"""Real servers on free ports of the loopback: a webhook receiver and an SMTP server with STARTTLS and login."""

from __future__ import annotations

import base64
import socketserver
import ssl
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

USER, PASSWORD = "lakeloom", "quokka-umbrella-9"


class Receiver(ThreadingHTTPServer):
    """Takes POSTs: answers with the statuses in `answers`, then with 200; keeps (path, headers, body)."""

    def __init__(self, *answers):
        super().__init__(("127.0.0.1", 0), _Post)
        self.answers, self.seen = list(answers), []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Post(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, dict(self.headers), body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        if self.path.startswith("/moved"):
            self.send_header("Location", self.server.url + "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        self.server.seen.append((self.path, {}, b"GET"))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        return


class Smtp(socketserver.ThreadingTCPServer):
    """Speaks as much of RFC 5321, 3207 and 4954 as a sender needs; keeps (sender, recipients, text)."""

    daemon_threads = allow_reuse_address = True

    def __init__(self, certificate: Path | None = None, *, refuse=()):
        super().__init__(("127.0.0.1", 0), _Session)
        self.certificate, self.refuse, self.mails, self.logins = certificate, set(refuse), [], []

    @property
    def port(self):
        return self.server_address[1]


class _Session(socketserver.StreamRequestHandler):
    def say(self, *lines):
        for line in lines:
            self.wfile.write(line.encode() + b"\r\n")
        self.wfile.flush()

    def handle(self):
        self.secure, self.sender, self.to = False, None, []
        self.say("220 mail.test ready")
        while line := self.rfile.readline().decode().strip():
            word = line.split()[0].upper()
            if word in self.server.refuse:
                self.say("451 try later" if word == "DATA" else "550 not here")
                continue
            if word == "QUIT":
                self.say("221 bye")
                return
            getattr(self, f"on_{word.lower()}", self.unknown)(line)

    def unknown(self, line):
        self.say("502 not known")

    def on_ehlo(self, line):
        can = [] if self.secure or not self.server.certificate else ["STARTTLS"]
        can += ["AUTH PLAIN"] if self.secure else []
        found = ["mail.test", *can]
        self.say(*[f"250{'-' if n < len(found) - 1 else ' '}{text}" for n, text in enumerate(found)])

    def on_starttls(self, line):
        self.say("220 go on")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.server.certificate)
        try:
            self.connection = context.wrap_socket(self.request, server_side=True)
        except (ssl.SSLError, OSError):
            raise ConnectionAbortedError from None
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")
        self.secure = True

    def on_auth(self, line):
        kind, given = line.split()[1], line.split()[2:]
        assert kind.upper() == "PLAIN" and given
        _, user, password = base64.b64decode(given[0]).decode().split("\0")
        self.server.logins.append(user)
        self.say("235 welcome" if (user, password) == (USER, PASSWORD) else "535 wrong user or password")

    def on_mail(self, line):
        self.sender = line.partition(":")[2].split()[0]
        self.say("250 ok")

    def on_rcpt(self, line):
        self.to.append(line.partition(":")[2].split()[0].strip("<>"))
        self.say("250 ok")

    def on_rset(self, line):
        self.to = []
        self.say("250 ok")

    def on_data(self, line):
        self.say("354 go on")
        text = []
        while (each := self.rfile.readline().decode()).rstrip("\r\n") != ".":
            text.append(each)
        self.server.mails.append((self.sender, self.to, "".join(text)))
        self.say("250 taken")


class Quiet(Smtp):
    """An SMTP server whose broken sessions say nothing on standard error."""

    def handle_error(self, request, client_address):
        return


def certificate(folder: Path) -> Path:
    """Make a certificate of 127.0.0.1 with its key, in one file."""
    file = folder / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(file), "-out", str(folder / "only.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_text(file.read_text() + (folder / "only.pem").read_text())
    return file

"""A guard before an emulator, which has no tokens that expire: it hands out short-lived ones and lets nothing else by.

It gives credentials as a container's agent does (AWS), a machine's metadata server (Google) and a managed identity
(Azure, whose emulator knows by itself when one has expired), and refuses an expired token in the words of S3 and of
Cloud Storage. What bears a live one goes on to the emulator.

Source: AWS SDKs' reference (container credential provider), S3's error responses; Compute Engine's metadata server;
App Service's reference (managed identities, IDENTITY_ENDPOINT).
"""

import base64
import http.client
import http.server
import json
import re
import threading
import time
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from tests.servers.serving import serving

_HOP = ("connection", "keep-alive", "transfer-encoding", "content-length", "host")
_GOOGLE = "/computeMetadata/v1"
_EXPIRED = (
    b"<?xml version='1.0'?><Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"
)


class Guard:
    """What the guard knows.

    Attributes
    ----------
    port : int
    lives_s : float
        How long a token that it hands out is good.
    says_s : float
        How long it says that it is.
    uses : int or None
        After how many requests it is over all the same.
    used : dict
        Token → requests that it was good for.
    who : dict
        Token → who was let by with it first, as it calls itself.
    refused : int
        Requests without a live one.
    on_refusal : callable
        Called at each of them.
    """

    def __init__(self, emulator, lives_s, says_s, uses):
        self.emulator, self.lives_s, self.says_s, self.uses = emulator, lives_s, says_s, uses
        self.used, self.who, self.refused, self.on_refusal = {}, {}, 0, lambda: None
        self._until, self._lock = {}, threading.Lock()

    def token(self):
        """Hand out a token."""
        with self._lock:
            name = f"token-{len(self._until):04d}-marked"
            self._until[name] = time.monotonic() + self.lives_s
            return name

    def admits(self, token, who):
        with self._lock:
            good = time.monotonic() < self._until.get(token, 0) and (
                self.uses is None or self.used.get(token, 0) < self.uses
            )
            if good:
                self.used[token] = self.used.get(token, 0) + 1
                self.who.setdefault(token, who)
            else:
                self.refused += 1
        if not good:
            self.on_refusal()
        return good


@contextmanager
def guarded(emulator, *, lives_s=3600.0, says_s=None, uses=None):
    """Yield a `Guard` before the emulator that listens on a port."""
    guard = Guard(emulator, lives_s, lives_s if says_s is None else says_s, uses)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"guard": guard}))
    guard.port = server.server_address[1]
    with serving(server):
        yield guard


class _Handler(http.server.BaseHTTPRequestHandler):
    guard: Guard

    def log_message(self, *_):
        return

    def do_GET(self):
        if self.path == "/credentials":
            until = datetime.now(UTC) + timedelta(seconds=self.guard.says_s)
            told = {"AccessKeyId": "guarded", "SecretAccessKey": "guarded-secret", "Token": self.guard.token(),
                    "Expiration": until.strftime("%Y-%m-%dT%H:%M:%SZ")}  # fmt: skip
            self._answer(200, json.dumps(told).encode(), {"Content-Type": "application/json"})
        elif self.path.startswith("/msi/token"):
            self._identity()
        elif self.path == "/" or self.path.startswith(_GOOGLE):
            self._machine(self.path.removeprefix(_GOOGLE).partition("?")[0])
        else:
            self._pass_on()

    def _identity(self):
        """Give a token as Azure's managed identities have them: it says itself until when it is good."""
        now = int(time.time())
        claims = {"iss": f"https://sts.windows.net/{uuid.UUID(int=7)}/", "aud": "https://storage.azure.com",
                  "iat": now - 60, "nbf": now - 60, "exp": now + int(self.guard.lives_s), "jti": self.guard.token()}  # fmt: skip
        parts = [base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode()
                 for each in ({"alg": "HS256", "typ": "JWT"}, claims, "unsigned")]  # fmt: skip
        told = {"access_token": ".".join(parts), "expires_on": now + int(self.guard.says_s), "token_type": "Bearer",
                "resource": "https://storage.azure.com"}  # fmt: skip
        self.guard.used[claims["jti"]] = 0  # the emulator is asked past the guard, and looks at the time itself
        self._answer(200, json.dumps(told).encode(), {"Content-Type": "application/json"})

    def _machine(self, path):
        path = re.sub("(?<=/service-accounts/)[^/]+", "default", path)  # asked for by its address, too
        words = {
            "/instance/service-accounts/default/token": lambda: {
                "access_token": self.guard.token(), "expires_in": int(self.guard.says_s), "token_type": "Bearer",
            },
            "/instance/service-accounts/default/": lambda: {"email": "loom@guarded", "scopes": [], "aliases": ["default"]},
            "/project/project-id": lambda: "guarded", "/universe/universe-domain": lambda: "googleapis.com",
        }  # fmt: skip
        told = words.get(path, lambda: "")()
        kind = "application/text" if isinstance(told, str) else "application/json"
        content = told if isinstance(told, str) else json.dumps(told)
        self._answer(200, content.encode(), {"Content-Type": kind, "Metadata-Flavor": "Google"})

    def _pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        by_bearer = self.headers.get("Authorization", "").startswith("Bearer ")
        token = self.headers["Authorization"][7:] if by_bearer else self.headers.get("x-amz-security-token")
        if not self.guard.admits(token, self.headers.get("User-Agent", "")):
            if by_bearer:
                self._answer(401, b'{"error": {"code": 401, "message": "Invalid Credentials"}}',
                             {"Content-Type": "application/json"})  # fmt: skip
            else:
                self._answer(400, _EXPIRED, {"Content-Type": "application/xml"})
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        connection = http.client.HTTPConnection("127.0.0.1", self.guard.emulator, timeout=60)
        try:
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            told = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP}
            content = answer.read()
            if self.command == "HEAD":
                told["Content-Length"] = answer.getheader("Content-Length") or "0"
            self._answer(answer.status, content, told)
        finally:
            connection.close()

    def do_HEAD(self):
        self._pass_on()

    def do_PUT(self):
        self._pass_on()

    def do_POST(self):
        self._pass_on()

    def do_DELETE(self):
        self._pass_on()

    def _answer(self, status, content, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

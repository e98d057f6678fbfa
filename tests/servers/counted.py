"""A front before a store that counts what is asked of it, by whatever client: boto3, delta-rs, Hadoop."""

import http.client
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.servers.serving import serving

_HOP = ("transfer-encoding", "connection", "content-length", "keep-alive", "expect")


class Counted:
    """What was asked.

    Attributes
    ----------
    port : int
    asked : list of (method, path, who)
        In the order of arrival; the path with its query, who as the client calls itself.
    """

    def __init__(self, store):
        self.store, self.port, self.asked = store, 0, []


@contextmanager
def counted(store):
    """Yield a `Counted` before the store that listens on a port."""
    found = Counted(store)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"counted": found}))
    found.port = server.server_address[1]
    with serving(server):
        yield found


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    counted: Counted

    def log_message(self, *told):
        """Say nothing."""

    def setup(self):
        super().setup()
        self._store = http.client.HTTPConnection("127.0.0.1", self.counted.store, timeout=60)

    def finish(self):
        self._store.close()
        super().finish()

    def handle_one(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.counted.asked.append((self.command, self.path, self.headers.get("User-Agent", "")))
        # As it was signed: also the host's name is that of the front.
        self._store.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in _HOP:
                self._store.putheader(name, value)
        if "Content-Length" in self.headers:
            self._store.putheader("Content-Length", self.headers["Content-Length"])
        self._store.endheaders(body)
        answer = self._store.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP:
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else None
        if answer.status != 204:
            self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_one  # noqa: N815  the names that the server calls

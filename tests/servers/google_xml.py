"""Google Cloud Storage's XML interface before an emulator that has the JSON one only; no real cloud has seen it.

delta-rs speaks the XML interface alone. What it asks is said to the emulator in JSON's words: put, put under a
generation, put in parts, list, delete; everything else goes through as it is, so one address serves both.

A program of its own, told its port, the emulator's, and the one that the emulator names to clients: it knows objects'
own addresses below that one alone.

Source: Cloud Storage's XML API reference (PUT Object, GET Bucket list-type=2, multipart uploads).
"""

import http.client
import json
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

_JSON = ("/storage/", "/upload/", "/download/", "/batch/", "/b/", "/_internal/")
_HOP = ("transfer-encoding", "connection", "content-length", "keep-alive")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # each answer waited 40 ms for the acknowledgement of its head

    def log_message(self, *told):
        """Say nothing."""

    def handle_one(self):
        parts = urlsplit(self.path)
        bucket, _, key = parts.path.lstrip("/").partition("/")
        words = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        body = self._body()
        if parts.path.startswith(_JSON):
            self._through(body)
        elif self.command == "GET" and not key:
            self._list(bucket, words)
        elif "uploads" in words or "uploadId" in words:
            self._in_parts(bucket, unquote(key), words, body)
        elif self.command == "PUT":
            self._put(bucket, unquote(key), body, self.headers.get("x-goog-if-generation-match"))
        else:
            self._through(body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = handle_one  # noqa: N815  the names that the server calls

    def _body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def _through(self, body):
        headers = {name: value for name, value in self.headers.items() if name.lower() not in (*_HOP, "host")}
        status, told, content = self._ask(self.command, self.path, body, headers)
        self._answer(
            status, content, {k: v for k, v in told if k.lower() not in _HOP}, dict(told).get("Content-Length")
        )

    def _ask(self, method, path, body=b"", headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.emulator, timeout=60)
        try:
            connection.request(method, path, body, {"Host": self.host} | (headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _answer(self, status, content=b"", headers=None, length=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        size = length if self.command == "HEAD" and length else str(len(content))
        if status != 204:
            self.send_header("Content-Length", size)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _put(self, bucket, key, body, generation=None):
        condition = f"&ifGenerationMatch={generation}" if generation is not None else ""
        path = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={quote(key, safe='')}{condition}"
        status, _, content = self._ask("POST", path, body, {"Content-Type": "application/octet-stream"})
        if status != 200:
            self._answer(status, content)
            return
        told = json.loads(content)
        self._answer(200, b"", {"ETag": f'"{told["etag"]}"', "x-goog-generation": str(told["generation"])})

    def _list(self, bucket, words):
        asked = {"prefix": words.get("prefix", ""), "delimiter": words.get("delimiter", "")}
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in asked.items() if value)
        status, _, content = self._ask("GET", f"/storage/v1/b/{bucket}/o?{query}")
        if status != 200:
            self._answer(status, content)
            return
        told, after = json.loads(content), words.get("start-after", "")
        items = "".join(
            f"<Contents><Key>{escape(each['name'])}</Key><LastModified>{each['updated']}</LastModified>"
            f"<ETag>{escape(each['etag'])}</ETag><Size>{each['size']}</Size></Contents>"
            for each in told.get("items", ())
            if each["name"] > after
        )
        below = "".join(
            f"<CommonPrefixes><Prefix>{escape(each)}</Prefix></CommonPrefixes>" for each in told.get("prefixes", ())
        )
        text = f'<?xml version="1.0"?><ListBucketResult><Name>{bucket}</Name>{items}{below}</ListBucketResult>'
        self._answer(200, text.encode(), {"Content-Type": "application/xml"})

    def _in_parts(self, bucket, key, words, body):
        if "uploads" in words:
            name = uuid.uuid4().hex
            with self.lock:
                self.uploads[name] = {}
            text = (
                f"<InitiateMultipartUploadResult><Bucket>{bucket}</Bucket><Key>{escape(key)}</Key>"
                f"<UploadId>{name}</UploadId></InitiateMultipartUploadResult>"
            )
            self._answer(200, text.encode(), {"Content-Type": "application/xml"})
        elif self.command == "PUT":
            with self.lock:
                self.uploads[words["uploadId"]][int(words["partNumber"])] = body
            self._answer(200, b"", {"ETag": f'"{words["partNumber"]}"'})
        elif self.command == "DELETE":
            with self.lock:
                self.uploads.pop(words["uploadId"], None)
            self._answer(204)
        else:
            with self.lock:
                parts = self.uploads.pop(words["uploadId"])
            path = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={quote(key, safe='')}"
            status, _, content = self._ask("POST", path, b"".join(parts[number] for number in sorted(parts)))
            etag = json.loads(content)["etag"] if status == 200 else ""
            text = f"<CompleteMultipartUploadResult><ETag>{escape(etag)}</ETag></CompleteMultipartUploadResult>"
            self._answer(status, text.encode(), {"Content-Type": "application/xml"})


def serve(port, emulator, public):
    words = {"emulator": emulator, "host": f"127.0.0.1:{public}", "uploads": {}, "lock": threading.Lock()}
    ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (_Handler,), words)).serve_forever()


if __name__ == "__main__":
    serve(*map(int, sys.argv[1:]))

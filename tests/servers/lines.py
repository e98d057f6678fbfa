"""Lines to servers that break: Toxiproxy between a client and a server, told by its HTTP interface.

Source: Toxiproxy's README (toxics ``latency``, ``bandwidth``, ``reset_peer``, ``limit_data``; POST /proxies).
"""

import json
import threading
import urllib.request
from collections import Counter
from contextlib import contextmanager

from stages import servers
from stages.places import Places
from tests.servers.running import free_port, running


@contextmanager
def toxiproxy(folder):
    """Yield a `Lines`; None where there is no Go to build the proxy."""
    program = servers.toxiproxy(Places.here())
    if program is None:
        yield None
        return
    port, log = free_port(), folder / "toxiproxy.log"
    env = {"LOG_LEVEL": "info", "PATH": "/usr/bin:/bin"}
    with running([program, "-host", "127.0.0.1", "-port", port], port, log, env=env), log.open() as told:
        yield Lines(port, told)


class Lines:
    """The lines that were laid, by name.

    Attributes
    ----------
    ports : dict
        Name → port that clients connect to.
    """

    def __init__(self, port, told):
        self.ports = {}
        self._at, self._told = f"http://127.0.0.1:{port}/proxies", told
        self._connections, self._rest, self._lock = Counter(), "", threading.Lock()

    def lay(self, name, server, port=None):
        """Lay a line to the server at a port; return the port to connect to."""
        port = port or free_port()
        self._ask("", {"name": name, "listen": f"127.0.0.1:{port}", "upstream": f"127.0.0.1:{server}"})
        self.ports[name] = port
        return port

    def spoil(self, name, kind, **how):
        """Do something to what the server answers on this line, on each connection from now on and those that stand."""
        self._ask(f"/{name}/toxics", {"name": kind, "type": kind, "stream": "downstream", "attributes": how})

    def mend(self, name):
        """Take back all that was done to a line."""
        for toxic in self._ask(f"/{name}/toxics"):
            self._ask(f"/{name}/toxics/{toxic['name']}", method="DELETE")

    def connections(self, name):
        """Return how many connections have come over a line so far, by the proxy's log."""
        with self._lock:
            *whole, self._rest = (self._rest + self._told.read()).split("\n")
            for each in map(json.loads, whole):
                self._connections[each.get("name")] += each.get("message") == "Accepted client"
            return self._connections[name]

    def _ask(self, path, told=None, method=None):
        content = None if told is None else json.dumps(told).encode()
        request = urllib.request.Request(
            self._at + path, content, {"Content-Type": "application/json"}, method=method or ("POST" if told else "GET")
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")

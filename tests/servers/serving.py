"""A server of Python's own on loopback: it answers in a thread of its own until the block ends."""

import threading
from contextlib import contextmanager


@contextmanager
def serving(server):
    """Serve until the block ends."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)

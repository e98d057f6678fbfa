"""Servers that hang, by real sockets on loopback: one that accepts and never answers, one whose line swallows all."""

import socket
import threading
from contextlib import contextmanager, suppress


@contextmanager
def silent():
    """Yield the port of a server that takes every connection and says nothing."""
    taken = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take():
            with suppress(OSError):
                while True:
                    taken.append(server.accept()[0])

        threading.Thread(target=take, daemon=True).start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            for each in taken:
                each.close()


@contextmanager
def swallowing():
    """Yield a port to which no connection is made and none refused: the kernel drops what it has no room for."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        filling = []
        try:
            while True:
                each = socket.socket()
                filling.append(each)
                each.settimeout(0.5)
                try:
                    each.connect(server.getsockname())
                except TimeoutError:
                    break
            yield server.getsockname()[1]
        finally:
            for each in filling:
                each.close()

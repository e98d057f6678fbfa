"""Real object stores: versitygw and moto for S3, Azurite for Azure, fake-gcs-server for Google."""

import sys
from contextlib import contextmanager
from pathlib import Path

from stages import servers
from stages.places import Places
from tests.servers.buckets import KEYS
from tests.servers.running import free_port, running


@contextmanager
def moto(folder):
    port = free_port()
    words = [servers.moto(Places.here()), "-m", "moto.server", "-H", "127.0.0.1", "-p", port]
    with running(words, port, folder / "moto.log"):
        yield port


@contextmanager
def versitygw(folder, keys=KEYS):
    """Yield the port of a gateway that compares checksums; None where there is no Go to build it."""
    program = servers.versitygw(Places.here())
    if program is None:
        yield None
        return
    port, place = free_port(), folder / "versitygw"
    place.mkdir()
    env = {"ROOT_ACCESS_KEY": keys["access_key"], "ROOT_SECRET_KEY": keys["secret_key"], "PATH": "/usr/bin:/bin"}
    words = [program, "--port", f"127.0.0.1:{port}", "posix", "--sidecar", folder / "sidecar", place]
    (folder / "sidecar").mkdir()
    with running(words, port, folder / "versitygw.log", env=env):
        yield port


@contextmanager
def azurite(folder, certificate=None):
    """Yield the port of Azure's emulator; None where there is no npm to install it.

    With a `certificate`, as `certificates` gives it, it is asked over TLS, and takes tokens besides keys.
    """
    program = servers.azurite(Places.here())
    if program is None:
        yield None
        return
    port = free_port()
    words = [program, "--blobHost", "127.0.0.1", "--blobPort", port, "--location", folder / "azurite",
             "--skipApiVersionCheck", "--loose", "--silent"]  # fmt: skip
    if certificate is not None:
        words += ["--oauth", "basic", "--cert", certificate[0], "--key", certificate[1]]
    with running(words, port, folder / "azurite.log"):
        yield port


@contextmanager
def fake_gcs(folder, public=None):
    """Yield the port of Google Cloud Storage's emulator; None where there is no Go to build it.

    `public` is the port that it names to clients, where that is another one.
    """
    program = servers.fake_gcs_server(Places.here())
    if program is None:
        yield None
        return
    port = free_port()
    place = f"127.0.0.1:{public or port}"
    words = [program, "-scheme", "http", "-host", "127.0.0.1", "-port", port, "-backend", "memory", "-public-host", place,
             "-external-url", f"http://{place}"]  # fmt: skip
    with running(words, port, folder / "gcs.log"):
        yield port


@contextmanager
def google(folder):
    """Yield the port of a front before `fake_gcs` that speaks the XML interface, too; None where there is no Go."""
    with fake_gcs(folder) as port:
        if port is None:
            yield None
            return
        with fronted(port, folder) as front:
            yield front


@contextmanager
def fronted(emulator, folder, public=None):
    """Yield the port of what speaks Google's XML interface before its emulator.

    Not in this process: a reader that waits for an answer may hold its interpreter meanwhile.
    """
    port = free_port()
    words = [sys.executable, "-I", Path(__file__).with_name("google_xml.py"), port, emulator, public or emulator]
    with running(words, port, folder / "google_xml.log"):
        yield port

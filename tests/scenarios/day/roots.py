"""Where the tables of a day lie: in a folder, or in a bucket of a server of its own behind a line that can be spoilt."""

from dataclasses import dataclass, field

from lakeloom.objects.path import Location, ObjectPath
from lakeloom.project.sampling import storage_root
from tests import servers

# What ``stores:`` says of each cloud's emulator; keys as placeholders.
S3 = {"region": "us-east-1", "access_key": "${secret:shop/access}", "secret_key": "${secret:shop/secret}"}
AZURE = {"key": "${secret:shop/azure}"}
GOOGLE = {"project": "loom", "anonymous": True}
# What waits for a line that says nothing gives it up soon.
SOON = {"connect_s": 3, "read_s": 6}
LINE = "root"


@dataclass(frozen=True)
class Root:
    """A storage root.

    Attributes
    ----------
    place : Location
        As the test itself looks at it: past the line.
    said : str
        What ``root:`` of the config says.
    stores : dict
        What ``stores:`` says of it.
    line : str or None
        The line that the project reaches it by; None for a folder.
    server : int or None
        The port of its server, where that can be restarted and keeps what it has.
    """

    place: Location
    said: str = ".lakeloom"
    stores: dict = field(default_factory=dict)
    line: str | None = None
    server: int | None = None

    def intents(self):
        """Return the names of the intents, and of what came of them."""
        folder = self.place / "intents"
        if isinstance(folder, ObjectPath):
            return {name for name, _ in folder.walk()}
        return {str(file) for file in folder.rglob("*.json")}

    def contents(self):
        """Yield the bytes of all that lies there."""
        if isinstance(self.place, ObjectPath):
            for name, _ in self.place.walk():
                yield (self.place / name).read_bytes()


def root_in(kind, lines, home, start):
    """Return the root of a day, its server started; None where it can't be had on this machine.

    Parameters
    ----------
    kind : {'s3', 'azure', 'google'} or None
        None for a folder.
    start : callable
        Enters the context of a server.
    """
    if kind is None:
        return Root(home / ".lakeloom")
    folder = home / "servers" / "root"
    folder.mkdir(parents=True)
    return _KINDS[kind](lines, home, folder, start)


def _s3(lines, home, folder, start):
    port = start(servers.versitygw(folder))
    return port and _root(home, servers.S3Bucket("day-lake", port), S3, lines.lay(LINE, port), port)


def _azure(lines, home, folder, start):
    port = start(servers.azurite(folder))
    return port and _root(home, servers.AzureBucket("day-lake", port), AZURE, lines.lay(LINE, port), port)


def _google(lines, home, folder, start):
    public = servers.free_port()  # what the emulator tells clients of itself is the line's end
    emulator = start(servers.fake_gcs(folder, public=public))
    if emulator is None:
        return None
    port = start(servers.fronted(emulator, folder, public))
    # It keeps all in its memory, so it is not restarted.
    return _root(home, servers.GcsBucket("day-lake", port), GOOGLE, lines.lay(LINE, port, public), None)


def _root(home, bucket, told, line, server):
    said = f"{bucket.root}/lake"
    stores = {bucket.root: told | {"endpoint": f"http://127.0.0.1:{line}"} | SOON}
    return Root(storage_root(home, said, stores=bucket.stores), said, stores, LINE, server)


_KINDS = {"s3": _s3, "azure": _azure, "google": _google}
KINDS = tuple(_KINDS)

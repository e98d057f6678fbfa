"""The servers of a day, each behind a line that can be spoilt, and the channels that orders come by."""

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from lakeloom.objects.address import Address
from lakeloom.objects.opened import opening
from tests import servers
from tests.scenarios.day import channels
from tests.scenarios.day.channels import AVRO, CSV, GZIPPED, JSON, PARQUET, Files, Page, Rows, Whole, into_folder, web
from tests.scenarios.day.roots import AZURE, GOOGLE, S3, SOON, Root, root_in


@dataclass
class Places:
    """What a day's project reaches.

    Attributes
    ----------
    lines : Lines
    root : Root
        Where the tables lie.
    channels : dict
        Name → channel.
    stores : dict
        What ``stores:`` of the config says, keys as placeholders.
    outlets : dict
        Name → what lies at the address of a bucket there: where exports go.
    postgresql : int
        Its port, without a line.
    """

    lines: object
    root: Root
    channels: dict = field(default_factory=dict)
    stores: dict = field(default_factory=dict)
    outlets: dict = field(default_factory=dict)
    postgresql: int = 0

    def line(self, where):
        """Return the line to what a fault befalls, and the port of its server where that can be restarted."""
        at = {**self.channels, "root": self.root}.get(where)
        return (None, None) if at is None else (at.line, at.server)


SECRETS = {
    "LAKELOOM_SECRET_SHOP_ACCESS": servers.KEYS["access_key"],
    "LAKELOOM_SECRET_SHOP_SECRET": servers.KEYS["secret_key"],
    "LAKELOOM_SECRET_SHOP_AZURE": servers.AZURITE_KEY,
}


@contextmanager
def places(home, root=None):
    """Start all servers and yield their `Places`; None where one can't be had on this machine.

    Parameters
    ----------
    root : {'s3', 'azure', 'google'}, optional
        In which store the tables lie, on a server of their own; by default in a folder.
    """
    folder = home / "servers"
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        start = stack.enter_context
        lines = start(servers.toxiproxy(folder))
        found = {name: start(getattr(servers, name)(folder)) for name in ("versitygw", "azurite")}
        found |= {name: start(getattr(servers, name)(folder)) for name in ("postgresql", "mariadb")}
        public = servers.free_port()  # what the emulator tells clients of itself is the line's end
        found["fake_gcs"] = start(servers.fake_gcs(folder, public=public))
        if lines is None or None in found.values():
            yield None
            return
        tables = root_in(root, lines, home, start)
        if tables is None:
            yield None
            return
        made = Places(lines, tables, stores=dict(tables.stores), postgresql=found["postgresql"])
        _folder(made, home)
        _s3(made, found["versitygw"])
        _gs(made, found["fake_gcs"], public)
        _azure(made, found["azurite"])
        _web(made, *start(web()))
        _databases(made, home, found["postgresql"], found["mariadb"])
        yield made


def _add(made, channel):
    made.channels[channel.name] = channel


def _folder(made, home):
    _add(made, Files("desk", "in/desk/*/*.csv.gz", GZIPPED, into_folder(home / "in" / "desk")))


def _s3(made, port):
    line = made.lines.lay("s3", port)
    shop, parts, out = (servers.S3Bucket(name, port) for name in ("day-shop", "day-parts", "day-out"))
    made.stores["s3:"] = S3 | {"endpoint": f"http://127.0.0.1:{line}"} | SOON
    _add(made, Files("s3", f"{shop.root}/in/*/*.jsonl", JSON, _under(shop), line="s3", server=port))
    direct = {"access": "direct"}
    _add(made, Files("direct", f"{parts.root}/in/*/*.parquet", PARQUET, _under(parts), direct, line="s3", server=port))
    made.outlets["s3"] = _outlet(out)


def _gs(made, port, public):
    line = made.lines.lay("gs", port, public)
    bucket = servers.GcsBucket("day-shop", port)
    made.stores["gs:"] = GOOGLE | {"endpoint": f"http://127.0.0.1:{line}"} | SOON
    _add(made, Files("gs", f"{bucket.root}/in/*/*.avro", AVRO, _under(bucket), line="gs"))


def _azure(made, port):
    line = made.lines.lay("azure", port)
    shop, out = (servers.AzureBucket(name, port) for name in ("day-shop", "day-out"))
    told = AZURE | {"endpoint": f"http://127.0.0.1:{line}"} | SOON
    made.stores |= {shop.root: told, out.root: told}
    _add(made, Files("azure", f"{shop.root}/in/*/*.csv", CSV, _under(shop), line="azure", server=port))
    made.outlets["azure"] = _outlet(out)


def _web(made, port, pages):
    line = made.lines.lay("web", port)
    made.stores["http:"] = dict(SOON)
    _add(made, Page("web", f"http://127.0.0.1:{line}/orders.csv", pages, line="web"))


def _databases(made, home, postgresql, mariadb):
    who = {"user": "loom", "password": "${secret:shop/secret}", "tls": "off"}
    for name, port, url, run in (
        ("postgresql", postgresql, "jdbc:postgresql://127.0.0.1:{}/postgres", channels.postgresql(postgresql)),
        ("mariadb", mariadb, "jdbc:mariadb://127.0.0.1:{}/fleet", channels.mariadb(mariadb)),
    ):
        line = made.lines.lay(name, port)
        _add(made, Rows(name, {"url": url.format(line), **who}, run, line=name, server=port))
    file = home / "till.db"
    _add(made, Whole("sqlite", {"url": f"jdbc:sqlite:{file.name}"}, channels.sqlite(file)))


def _under(bucket):
    return lambda key, content: bucket.put(f"in/{key}", content)


def _outlet(bucket):
    return bucket.root, opening(Address.parse(f"{bucket.root}/x"), bucket.stores).open()

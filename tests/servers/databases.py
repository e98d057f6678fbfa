"""Real databases: PostgreSQL and MariaDB, and a word with any through its driver."""

import getpass
import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from tests.servers.buckets import KEYS
from tests.servers.running import free_port, running


class Database:
    """A database of a server, spoken to through its driver in Spark's JVM; what a source says of it is `config`."""

    def __init__(self, spark, url, driver, **more):
        self._spark, self.url, self.driver, self.more = spark, url, driver, more

    @property
    def config(self):
        return {"kind": "jdbc", "url": self.url, "driver": self.driver, **self.more}

    def run(self, *statements):
        with self.connected() as connection:
            for statement in statements:
                connection.createStatement().execute(statement)

    def rows(self, query):
        """Return the rows of a query, each value as text."""
        with self.connected() as connection:
            found, rows = connection.createStatement().executeQuery(query), []
            width = found.getMetaData().getColumnCount()
            while found.next():
                rows.append(tuple(found.getString(at + 1) for at in range(width)))
            return rows

    @contextmanager
    def connected(self):
        """Give a connection (java.sql.Connection) until the block ends."""
        self._spark._jvm.java.lang.Class.forName(self.driver)
        words = self._spark._jvm.java.util.Properties()
        for name in ("user", "password"):
            if name in self.more:
                words.setProperty(name, self.more[name])
        connection = self._spark._jvm.java.sql.DriverManager.getConnection(self.url, words)
        try:
            yield connection
        finally:
            connection.close()


def certificates(folder):
    """Write a certificate for 127.0.0.1 and its authority's; return the files of certificate, key and authority."""
    import ipaddress
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    folder.mkdir()
    now = datetime.now(UTC)

    def signed(name, key, issuer, signer, *, authority):
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        made = (
            x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )  # fmt: skip
        return (made if authority else made.add_extension(names, critical=False)).sign(signer, hashes.SHA256())

    def named(word):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, word)])

    root, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    parts = {
        "server.crt": signed(named("server"), own, named("root"), root, authority=False).public_bytes(pem),
        "server.key": own.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        "ca.crt": signed(named("root"), root, named("root"), root, authority=True).public_bytes(pem),
    }
    for name, content in parts.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)
    return tuple(folder / name for name in parts)


@contextmanager
def postgresql(folder, certificate=None):
    """Yield the port of PostgreSQL, whose user is ``loom``; None where it is not installed.

    `certificate` is what `certificates` gave, for a server that offers TLS.
    """
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: int(place.parent.name))
    if not places:
        yield None
        return
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="loom-postgresql-") as made:  # its own user must get there
        place, more = Path(made), {}
        (place / "word").write_text(KEYS["secret_key"])
        if os.geteuid() == 0:
            more = {"user": "postgres", "group": "postgres"}
            for each in (place, place / "word"):
                shutil.chown(each, "postgres", "postgres")
        words = [places[-1] / "initdb", "-D", place / "data", "-U", "loom", "--auth=scram-sha-256", "--no-sync",
                 f"--pwfile={place / 'word'}", "-E", "UTF8", "--locale=C"]  # fmt: skip
        subprocess.run(list(map(str, words)), check=True, capture_output=True, cwd=place, **more)
        tls = []
        if certificate is not None:
            for file in certificate[:2]:
                kept = Path(shutil.copy(file, place))
                if more:
                    shutil.chown(kept, "postgres", "postgres")
            tls = ["-c", "ssl=on", "-c", f"ssl_cert_file={place / certificate[0].name}", "-c",
                   f"ssl_key_file={place / certificate[1].name}"]  # fmt: skip
        words = [
            places[-1] / "postgres",
            "-D",
            place / "data",
            "-p",
            port,
            "-h",
            "127.0.0.1",
            "-k",
            place,
            "-c",
            "fsync=off",
            *tls,
        ]
        # At SIGQUIT the server ends at once, with its children, and recovers at its next start.
        with running(words, port, folder / "postgresql.log", signal.SIGQUIT, cwd=place, **more):
            yield port


@contextmanager
def mariadb(folder, certificate=None):
    """Yield the port of MariaDB, whose user is ``loom`` and whose database is ``fleet``; None where it is not installed.

    `certificate` is what `certificates` gave, for a server that offers TLS.
    """
    program = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")
    if program is None:
        yield None
        return
    port, place = free_port(), folder / "mariadb"
    place.mkdir()
    user = f"--user={getpass.getuser()}"
    install = [shutil.which("mariadb-install-db"), "--no-defaults", f"--datadir={place}", "--skip-test-db", user,
               "--auth-root-authentication-method=normal"]  # fmt: skip
    subprocess.run(install, check=True, capture_output=True)
    first = folder / "mariadb.sql"
    hosts = [f"'loom'@'{host}'" for host in ("127.0.0.1", "localhost")]
    users = [
        f"CREATE USER {host} IDENTIFIED BY '{KEYS['secret_key']}';\nGRANT ALL ON *.* TO {host} WITH GRANT OPTION;\n"
        for host in hosts
    ]
    first.write_text("CREATE DATABASE fleet CHARACTER SET utf8mb4;\n" + "".join(users))  # a statement a line
    words = [program, "--no-defaults", f"--datadir={place}", f"--port={port}", "--bind-address=127.0.0.1", user,
             f"--socket={place / 'socket'}", f"--init-file={first}", "--innodb-flush-log-at-trx-commit=0"]  # fmt: skip
    if certificate is not None:
        words += [f"--ssl-{kind}={file}" for kind, file in zip(("cert", "key", "ca"), certificate, strict=True)]
    with running(words, port, folder / "mariadb.log"):
        yield port

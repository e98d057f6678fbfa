"""Real object stores on loopback, on free ports: started by the test run, ended with it, by their own process.

`Bucket` is the same for all: what a test puts there, and what a project says to read it.
"""

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from stages import servers
from stages.places import Places
from tests.google_xml import fronted

AZURITE_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="  # gitleaks:allow
)
KEYS = {"access_key": "loom-access", "secret_key": "loom-secret-1234"}


class Bucket:
    """A bucket (container) of a server.

    Attributes
    ----------
    root : str
        Its address, to be followed by ``/`` and a key.
    stores : dict
        What a project's ``stores:`` says of it.
    """

    def __init__(self, root, stores):
        self.root, self.stores = root, stores


class S3Bucket(Bucket):
    def __init__(self, name, port):
        import boto3
        from botocore.config import Config

        endpoint = f"http://127.0.0.1:{port}"
        super().__init__(f"s3://{name}", {f"s3://{name}": {"endpoint": endpoint, "region": "us-east-1", **KEYS}})
        self._client = boto3.client(
            "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=KEYS["access_key"],
            aws_secret_access_key=KEYS["secret_key"], config=Config(s3={"addressing_style": "path"}),
        )  # fmt: skip
        self._name = name
        self._client.create_bucket(Bucket=name)

    def put(self, key, content):
        self._client.put_object(Bucket=self._name, Key=key, Body=content)

    def put_parts(self, key, *parts):
        """Put an object by a multi-part upload; all parts but the last have at least 5 MiB."""
        upload = self._client.create_multipart_upload(Bucket=self._name, Key=key)["UploadId"]
        told = []
        for number, part in enumerate(parts, 1):
            answer = self._client.upload_part(Bucket=self._name, Key=key, PartNumber=number, UploadId=upload, Body=part)
            told.append({"PartNumber": number, "ETag": answer["ETag"]})
        self._client.complete_multipart_upload(
            Bucket=self._name, Key=key, UploadId=upload, MultipartUpload={"Parts": told}
        )

    def delete(self, key):
        self._client.delete_object(Bucket=self._name, Key=key)


class GcsBucket(Bucket):
    def __init__(self, name, port):
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import storage

        endpoint = f"http://127.0.0.1:{port}"
        super().__init__(f"gs://{name}", {f"gs://{name}": {"endpoint": endpoint, "project": "loom", "anonymous": True}})
        client = storage.Client("loom", credentials=AnonymousCredentials(), client_options={"api_endpoint": endpoint})
        self._bucket = client.create_bucket(name)

    def put(self, key, content):
        self._bucket.blob(key).upload_from_string(content, "application/octet-stream")

    def delete(self, key):
        self._bucket.delete_blob(key)


class AzureBucket(Bucket):
    def __init__(self, name, port):
        from azure.storage.blob import BlobServiceClient

        account, endpoint = "devstoreaccount1", f"http://127.0.0.1:{port}"
        root = f"abfss://{name}@{account}.dfs.core.windows.net"
        super().__init__(root, {root: {"endpoint": endpoint, "key": AZURITE_KEY}})
        service = BlobServiceClient(
            f"{endpoint}/{account}", credential={"account_name": account, "account_key": AZURITE_KEY}
        )
        self._container = service.create_container(name)

    def put(self, key, content):
        from hashlib import md5

        from azure.storage.blob import ContentSettings

        told = ContentSettings(content_md5=bytearray(md5(content).digest()))
        self._container.upload_blob(key, content, overwrite=True, content_settings=told)

    def delete(self, key):
        self._container.delete_blob(key)


@contextmanager
def running(words, port, log, **options):
    """Run a server until the block ends; it must listen within a minute."""
    with Path(log).open("wb") as out:
        process = subprocess.Popen(list(map(str, words)), stdout=out, stderr=subprocess.STDOUT, **options)
        try:
            _listening(process, port, log)
            yield process
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(3)
            if process.poll() is None:
                process.kill()
                process.wait(3)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def moto(folder):
    port = free_port()
    words = [servers.moto(Places.here()), "-m", "moto.server", "-H", "127.0.0.1", "-p", port]
    with running(words, port, folder / "moto.log"):
        yield port


@contextmanager
def versitygw(folder):
    """Yield the port of a gateway that compares checksums; None where there is no Go to build it."""
    program = servers.versitygw(Places.here())
    if program is None:
        yield None
        return
    port, place = free_port(), folder / "versitygw"
    place.mkdir()
    env = {"ROOT_ACCESS_KEY": KEYS["access_key"], "ROOT_SECRET_KEY": KEYS["secret_key"], "PATH": "/usr/bin:/bin"}
    words = [program, "--port", f"127.0.0.1:{port}", "posix", "--sidecar", folder / "sidecar", place]
    (folder / "sidecar").mkdir()
    with running(words, port, folder / "versitygw.log", env=env):
        yield port


@contextmanager
def azurite(folder):
    """Yield the port of Azure's emulator; None where there is no npm to install it."""
    program = servers.azurite(Places.here())
    if program is None:
        yield None
        return
    port = free_port()
    words = [program, "--blobHost", "127.0.0.1", "--blobPort", port, "--location", folder / "azurite",
             "--skipApiVersionCheck", "--loose", "--silent"]  # fmt: skip
    with running(words, port, folder / "azurite.log"):
        yield port


@contextmanager
def fake_gcs(folder):
    """Yield the port of Google Cloud Storage's emulator; None where there is no Go to build it."""
    program = servers.fake_gcs_server(Places.here())
    if program is None:
        yield None
        return
    port = free_port()
    place = f"127.0.0.1:{port}"
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
        with fronted(port) as front:
            yield front


def _listening(process, port, log, limit_s=60):
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, Path(log).read_text(errors="replace")[-2000:]
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on {port}: {Path(log).read_text(errors='replace')[-2000:]}")


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
        with running(words, port, folder / "postgresql.log", cwd=place, **more):
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

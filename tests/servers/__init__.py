"""Real servers on loopback, on free ports: started by the test run, ended with it, by their own process."""

from tests.servers.buckets import AZURITE_KEY, KEYS, AzureBucket, GcsBucket, S3Bucket
from tests.servers.databases import Database, certificates, mariadb, postgresql
from tests.servers.lines import Lines, toxiproxy
from tests.servers.running import free_port, restart, running
from tests.servers.sftp import SftpBucket, sftp
from tests.servers.stores import azurite, fake_gcs, fronted, google, moto, versitygw

__all__ = [
    "AZURITE_KEY",
    "KEYS",
    "AzureBucket",
    "Database",
    "GcsBucket",
    "Lines",
    "S3Bucket",
    "SftpBucket",
    "azurite",
    "certificates",
    "fake_gcs",
    "free_port",
    "fronted",
    "google",
    "mariadb",
    "moto",
    "postgresql",
    "restart",
    "running",
    "sftp",
    "toxiproxy",
    "versitygw",
]

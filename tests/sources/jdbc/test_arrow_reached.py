"""PostgreSQL's rows as Arrow over lines that are encrypted, or go through a tunnel: verified as the driver's are."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from lakeloom.core.secrets import Secret, reveal
from lakeloom.sources.jdbc import Jdbc, asked, libpq
from lakeloom.sources.jdbc.connection import properties_of
from lakeloom.sources.landing import LeftToSparkError
from tests import servers
from tests.servers.fixtures import DATABASES, WHO
from tests.sources.jdbc.bronze import Bronze
from tests.sources.jdbc.test_tls import ENCRYPTED
from tests.sources.jdbc.test_tunnel import sshd, tunnel_by


@pytest.fixture(autouse=True)
def any_number(monkeypatch):
    """Let few rows come as Arrow too."""
    monkeypatch.setattr(asked, "FROM_ROWS", 1)


def landing(bronze):
    return Jdbc.read(bronze.spark.newSession(), bronze.config, bronze.poll(), None, Path())


def rows_of(jobs):
    return pa.concat_tables([table for job in jobs for table in job.tables()])


def test_a_server_is_verified_by_its_authority_and_one_of_another_is_refused(spark, tmp_path):
    start, url, driver = DATABASES["postgresql"]
    certificate = servers.certificates(tmp_path / "own")
    foreign = servers.certificates(tmp_path / "foreign")[2]
    with start(tmp_path, certificate) as port:
        if port is None:
            pytest.skip("PostgreSQL is not installed on this machine")
        database = servers.Database(spark, url.format(port), driver, **WHO)
        said = {"query": ENCRYPTED["postgresql"], "keys": ["word"]}
        bronze = Bronze(spark, database, **said, tls={"ca": str(certificate[2])})
        with (found := landing(bronze)).around:
            assert found.jobs and rows_of(found.jobs)["word"].to_pylist() == ["true"]
            other = Bronze(spark, database, **said, tls={"ca": str(foreign)}).config
            told = libpq.words(reveal(other.url), properties_of(other))
            assert told["sslmode"] == "verify-full"
            with pytest.raises(LeftToSparkError) as caught:
                rows_of([replace(job, place=Secret(libpq.uri(told))) for job in found.jobs])
            assert not any(word in str(caught.value) for word in ("127.0.0.1", str(tmp_path), WHO["user"]))


def test_authorities_of_the_jvm_are_the_drivers_own_affair(spark, databases):
    config = Bronze(spark, databases("postgresql"), table="any", tls={}).config
    assert libpq.words(reveal(config.url), properties_of(config)) is None


def test_rows_come_through_a_tunnel(spark, databases, table, tmp_path):
    database = databases("postgresql")
    database.run(f"CREATE TABLE {table} AS SELECT g AS id FROM generate_series(1, 30) g")
    home = tmp_path / "ssh"
    with sshd(home) as port:
        if port is None:
            pytest.skip("no SSH server is installed on this machine")
        tunnel = tunnel_by(port, home)
        bronze = Bronze(
            spark, database, table=table, keys=["id"], partitions={"column": "id", "number": 2}, tunnel=tunnel
        )
        with (found := landing(bronze)).around:
            places = {job.place.reveal() for job in found.jobs}
            assert len(found.jobs) == 2 and not any(
                f"port={database.url.split(':')[-1].split('/')[0]}" in each for each in places
            )
            assert sorted(rows_of(found.jobs)["id"].to_pylist()) == list(range(1, 31))

"""Objects of real stores → bronze: what is new, what changed or vanished, killed anywhere, and no secret anywhere."""

import gzip
import json
import re
import shutil
from pathlib import Path

import pytest

from lakeloom.flow.planning import plan
from lakeloom.flow.runner import run
from lakeloom.objects import transfer
from lakeloom.objects.faults import denied
from lakeloom.store import refs
from lakeloom.store.lake import Lake


class Landing:
    """A project with one source of objects."""

    def __init__(self, home, bucket, more=""):
        self.home, self.bucket = home, bucket
        self.conf = home / "conf" / "shop"
        self.conf.mkdir(parents=True)
        (home / "conf" / "base.yml").write_text(
            "project: shop\nretries: 0\nstores: " + json.dumps(self.secret(bucket.stores)) + "\n"
        )
        self.say(more)

    def secret(self, stores):
        return {
            root: {key: "${secret:shop/" + key + "}" if "key" in key else value for key, value in each.items()}
            for root, each in stores.items()
        }

    def say(self, more):
        (self.conf / "sources.yml").write_text(
            f"sources:\n  clicks:\n    kind: files\n    path: {self.bucket.root}/in/**\n    format: csv\n"
            f"    columns: {{id: bigint}}\n{more}"
        )

    def project(self):
        from lakeloom.config.load import read
        from lakeloom.project.check import checked

        return checked(read(self.home / "conf"))

    def run(self, **options):
        (step,) = run(self.project(), **options).steps
        return step

    def rows(self):
        lake = Lake(self.project().root)
        found = lake.arrow("bronze.clicks", refs.good(lake)["bronze.clicks"]).to_pylist()
        return sorted((row["id"], row["word"], row["_file"].removeprefix(self.bucket.root + "/")) for row in found)


@pytest.fixture
def landing(tmp_path, bucket_of, spark, monkeypatch):
    def make(kind, more=""):
        bucket = bucket_of(kind)
        for each in bucket.stores.values():
            for key, value in each.items():
                if "key" in key:
                    monkeypatch.setenv(f"LAKELOOM_SECRET_SHOP_{key.upper()}", value)
        return Landing(tmp_path, bucket, more)

    return make


def csv(*rows):
    return ("id,word\n" + "".join(f"{number},{word}\n" for number, word in rows)).encode()


@pytest.mark.parametrize("kind", ["s3", "gs", "abfss", "sftp"])
def test_new_and_changed_objects_land_once_and_their_bytes_stay(landing, kind):
    shop = landing(kind)
    shop.bucket.put("in/a ü.csv", csv((1, "one"), ("x", "bad")))
    shop.bucket.put("in/deep/b.csv.gz", gzip.compress(csv((2, "two"))))
    shop.bucket.put("in/_unfinished.csv", csv((9, "no")))
    (planned,) = plan(shop.project())
    assert (planned.action, planned.reasons) == ("run", ("2 new objects",))
    done = shop.run()
    assert (done.status, done.rows_out, done.quarantined) == ("done", 2, 1), done.error
    assert shop.rows() == [(1, "one", "in/a ü.csv"), (2, "two", "in/deep/b.csv.gz")]
    assert shop.run().status == "skipped"
    shop.bucket.put("in/a ü.csv", csv((3, "three")))
    shop.bucket.put("in/c.csv", csv((4, "four")))
    assert shop.run().rows_out == 2
    assert [row[0] for row in shop.rows()] == [1, 2, 3, 4]
    shop.bucket.delete("in/c.csv")
    assert shop.run().status == "skipped"
    kept = [file for file in (shop.project().root / "landing" / "clicks").rglob("*") if file.is_file()]
    assert len(kept) == 4 and {file.suffix for file in kept} == {".csv", ".gz"}
    assert csv((1, "one"), ("x", "bad")) in {file.read_bytes() for file in kept}
    # No key of the store stands in anything that the run has written.
    secrets = [value for each in shop.bucket.stores.values() for key, value in each.items() if "key" in key]
    for file in shop.home.rglob("*"):
        if file.is_file():
            assert not any(secret.encode() in file.read_bytes() for secret in secrets), file


def test_what_changed_or_vanished_is_ignored_or_refused_where_the_source_says_so(landing):
    shop = landing("s3", "    changed: ignore\n")
    shop.bucket.put("in/a.csv", csv((1, "one")))
    shop.run()
    shop.bucket.put("in/a.csv", csv((2, "two")))
    assert shop.run().status == "skipped"
    shop.say("    changed: fail\n")
    failed = shop.run()
    assert (failed.status, failed.error["code"]) == ("failed", "LL-SOURCE-007")
    assert f"1 object changed after arrival: {shop.bucket.root}/in/a.csv" in failed.error["message"]
    shop.say("    vanished: fail\n")
    shop.bucket.delete("in/a.csv")
    failed = shop.run()
    assert failed.error["code"] == "LL-SOURCE-007" and "vanished" in failed.error["message"]
    assert [row[0] for row in shop.rows()] == [1]


@pytest.mark.parametrize("kind", ["s3", "sftp"])
def test_many_bytes_are_fetched_by_the_executors_with_their_secrets(landing, monkeypatch, kind):
    monkeypatch.setattr("lakeloom.sources.objects.EXECUTORS_FROM_BYTES", 1)
    shop = landing(kind)
    for number in range(5):
        shop.bucket.put(f"in/{number}.csv", csv((number, "x" * (number + 1))))
    assert shop.run().rows_out == 5
    assert [row[0] for row in shop.rows()] == list(range(5))


def test_an_object_that_is_refused_or_spoilt_keeps_no_other_from_landing(landing, monkeypatch):
    from lakeloom.objects.s3 import S3

    shop, real = landing("s3"), S3.part
    for number in range(3):
        shop.bucket.put(f"in/{number}.csv", csv((number, "x")))

    def part(store, found, start, end):
        if found.key == "in/1.csv":
            raise denied(f"s3://{found.key}")
        return bytes(end - start) if found.key == "in/2.csv" else real(store, found, start, end)

    monkeypatch.setattr(S3, "part", part)
    done = shop.run()
    assert (done.status, [row[0] for row in shop.rows()]) == ("done", [0])
    assert [warning[:12] for warning in done.warnings] == ["LL-SOURCE-00"] * 2
    assert "in/1.csv" in done.warnings[0] and "in/2.csv came twice" in done.warnings[1]
    failed = shop.run()  # nothing else is new: the step says what keeps them
    assert (failed.status, failed.error["code"]) == ("failed", "LL-SOURCE-002")
    monkeypatch.setattr(S3, "part", real)
    assert shop.run().rows_out == 2
    assert [row[0] for row in shop.rows()] == [0, 1, 2]


def test_a_folder_or_name_that_can_not_be_read_keeps_no_other_from_landing(landing):
    shop = landing("sftp", "    vanished: fail\n")
    for number, key in enumerate(("in/a.csv", "in/closed/b.csv", "in/open/c.csv")):
        shop.bucket.put(key, csv((number, "x")))
    (shop.bucket.folder / "in" / "closed").chmod(0)
    (shop.bucket.folder / "in" / "\udcff.csv").write_bytes(csv((9, "x")))
    done = shop.run()
    assert (done.status, [row[0] for row in shop.rows()]) == ("done", [0, 2])
    assert [warning[:13] for warning in done.warnings] == ["LL-SOURCE-002", "LL-SOURCE-004"]
    assert "in/closed/" in done.warnings[0] and "in/\\xff.csv" in done.warnings[1]
    assert shop.run().status == "skipped"
    (shop.bucket.folder / "in" / "closed").chmod(0o700)
    assert shop.run().rows_out == 1
    (shop.bucket.folder / "in" / "closed").chmod(0)  # what lies there has not vanished
    assert shop.run().status == "skipped"
    (shop.bucket.folder / "in" / "open").chmod(0)
    (shop.bucket.folder / "in" / "a.csv").unlink()
    failed = shop.run()
    assert (failed.status, failed.error["code"]) == ("failed", "LL-SOURCE-002")


def test_the_guides_example_of_an_sftp_server_lands(landing, monkeypatch):
    shop = landing("sftp")
    bucket = shop.bucket
    bucket.put("outgoing/deep/a.csv", csv((1, "one")))
    page = (Path(__file__).parents[2] / "docs/guide/objects.md").read_text(encoding="utf-8")
    (block,) = [each for each in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "sftp://" in each]
    host, *_ = bucket.stores
    for said, here in (
        ("sftp://shop@files.partner.example:2222/outgoing", f"{bucket.root}/outgoing"),
        ("sftp://shop@files.partner.example:2222", host), ("/etc/lakeloom/partner.known_hosts", bucket.home / "known"),
        ("/etc/lakeloom/partner", bucket.home / "locked"),
    ):  # fmt: skip
        assert said in block
        block = block.replace(said, str(here))
    base, sources = block.split("# sources.yml\n")
    (shop.home / "conf" / "base.yml").write_text(f"project: shop\n{base}")
    (shop.conf / "sources.yml").write_text(sources)
    monkeypatch.setenv("LAKELOOM_SECRET_PARTNER_PASSPHRASE", "open sesame")
    assert shop.run().rows_out == 1


def test_a_host_that_is_not_known_is_told_with_its_place(landing):
    shop = landing("sftp")
    shop.bucket.put("in/a.csv", csv((1, "one")))
    base = shop.home / "conf" / "base.yml"
    base.write_text(base.read_text().replace(str(shop.bucket.home / "known"), str(shop.bucket.home / "wrong")))
    failed = shop.run()
    assert (failed.status, failed.error["code"]) == ("failed", "LL-SOURCE-012")
    assert "sftp://" in failed.error["message"] and not shop.project().root.joinpath("landing").exists()


def test_what_was_refused_before_a_crash_behind_the_commit_is_not_taken_for_landed(landing, monkeypatch):
    from lakeloom.objects.s3 import S3

    shop, real = landing("s3"), S3.part
    for number in range(2):
        shop.bucket.put(f"in/{number}.csv", csv((number, "x")))

    def part(store, found, start, end):
        if found.key == "in/1.csv":
            raise denied(f"s3://{found.key}")
        return real(store, found, start, end)

    def killed(*_, **__):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(S3, "part", part)
        patched.setattr("lakeloom.flow.execute.refs.publish", killed)
        with pytest.raises(Killed):
            shop.run()
    assert shop.run().status == "done"  # the one that was committed
    shop.run()  # the one that can be had now
    assert [row[0] for row in shop.rows()] == [0, 1]
    assert shop.run().status == "skipped"


class Killed(BaseException):
    """As of SIGKILL."""


@pytest.mark.parametrize("fetched", [0, 1, 3])
def test_killed_while_it_fetches_it_goes_on_with_what_was_pinned(landing, monkeypatch, fetched):
    shop = landing("s3")
    for number in range(3):
        shop.bucket.put(f"in/{number}.csv", csv((number, "x")))
    count, real = [0], transfer.fetch

    def fetch(*words, **more):
        if count[0] == fetched:
            raise Killed
        count[0] += 1
        return real(*words, **more)

    monkeypatch.setattr("lakeloom.sources.objects.fetch", fetch)
    monkeypatch.setattr("lakeloom.sources.objects._THREADS", 1)
    monkeypatch.setattr("lakeloom.flow.land._land", lambda *_: (_ for _ in ()).throw(Killed()))
    with pytest.raises(Killed):
        shop.run()
    monkeypatch.undo()
    shop.bucket.put("in/3.csv", csv((3, "x")))
    shop.bucket.put("in/2.csv", csv((22, "later")))
    for key in ("access_key", "secret_key"):
        monkeypatch.setenv(f"LAKELOOM_SECRET_SHOP_{key.upper()}", next(iter(shop.bucket.stores.values()))[key])
    assert shop.run().status == "done"
    shop.run()
    assert shop.run().status == "skipped"
    numbers = [row[0] for row in shop.rows()]
    # The one that changed before it was fetched comes as it is now, and not twice.
    assert numbers == ([0, 1, 2, 3, 22] if fetched == 3 else [0, 1, 3, 22])


@pytest.mark.parametrize("policy", ["add", "ignore"])
def test_what_was_fetched_on_another_machine_is_fetched_again_unless_it_changed(landing, monkeypatch, policy):
    shop = landing("s3", f"    changed: {policy}\n")
    for number in range(3):
        shop.bucket.put(f"in/{number}.csv", csv((number, "x")))
    with monkeypatch.context() as patched:
        patched.setattr("lakeloom.flow.land._land", lambda *_: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            shop.run()
    shutil.rmtree(shop.project().root / "landing")
    shop.bucket.put("in/1.csv", csv((11, "later")))
    assert shop.run().rows_out == 2
    assert shop.run().rows_out == 1  # the one that changed never landed as it was
    assert shop.run().status == "skipped"
    assert [row[0] for row in shop.rows()] == [0, 2, 11]


def test_what_stands_is_not_read_again_after_a_crash(landing, monkeypatch):
    shop = landing("s3")
    shop.bucket.put("in/0.csv", csv((0, "x"), ("y", "bad")))
    with monkeypatch.context() as patched:
        patched.setattr("lakeloom.flow.execute.refs.publish", lambda *_, **__: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            shop.run()
    shutil.rmtree(shop.project().root / "landing")
    shop.bucket.delete("in/0.csv")
    done = shop.run()
    assert (done.status, done.rows_in, done.rows_out, done.quarantined) == ("done", 2, 1, 1), done.error
    assert [row[0] for row in shop.rows()] == [0]
    shop.bucket.put("in/0.csv", csv((0, "x"), ("y", "bad")))  # the same bytes are the same version
    assert shop.run().status == "skipped"


def test_a_denied_bucket_and_one_that_is_not_there_are_told_with_their_place(landing, monkeypatch):
    shop = landing("s3")
    shop.bucket.put("in/a.csv", csv((1, "one")))
    monkeypatch.setenv("LAKELOOM_SECRET_SHOP_SECRET_KEY", "marked-wrong-4711")
    failed = shop.run()
    assert (failed.status, failed.error["code"]) == ("failed", "LL-SOURCE-002")
    assert shop.bucket.root in failed.error["message"] and "4711" not in str(failed)


def test_mistakes_are_found_without_the_store(landing):
    shop = landing("s3", "    changed: replaced\n")
    base = shop.home / "conf" / "base.yml"
    base.write_text("project: shop\nstores:\n  s3://x: {regoin: a, bandwidth: fast}\n  s4://y: {}\n")
    from lakeloom.config.load import read
    from lakeloom.project.check import check

    found = {(each.code, each.path, each.line): each for each in check(read(shop.home / "conf"))[1]}
    assert {key[:2] for key in found} == {
        ("LL-CONF-003", "stores.s3://x.regoin"), ("LL-CONF-004", "stores.s3://x.bandwidth"),
        ("LL-CONF-020", "stores.s4://y"), ("LL-CONF-004", "sources.clicks.changed"),
    }  # fmt: skip
    assert "region" in next(each.fix for key, each in found.items() if key[0] == "LL-CONF-003")
    (shop.conf / "sources.yml").write_text("sources: {x: {kind: files, path: 'https://h/*.csv', format: csv}}\n")
    base.write_text("project: shop\n")
    (problem,) = check(read(shop.home / "conf"))[1]
    assert "no listing" in problem.message

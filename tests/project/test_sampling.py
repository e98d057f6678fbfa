"""Which share a sample is, where it lies, whom it does not tell, and what a source may say of it."""

import pytest

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.config.load import read
from lakeloom.core.errors import ConfigError
from lakeloom.project.check import check, checked
from lakeloom.project.sampling import asked, shown
from tests.shop import lay_out


@pytest.fixture
def conf(tmp_path, monkeypatch):
    for name in ("LAKELOOM_HOME", "LAKELOOM_SAMPLE"):
        monkeypatch.delenv(name, raising=False)
    return lay_out(tmp_path)


@pytest.mark.parametrize(
    ("text", "share"), [("1%", 0.01), ("0.01", 0.01), (" 12.5 %", 0.125), ("0.5", 0.5), ("0.1%", 0.001)]
)
def test_a_share_is_a_percentage_or_a_fraction(text, share):
    assert asked(text, "--sample") == pytest.approx(share)
    assert asked(shown(share), "--sample") == pytest.approx(share)


@pytest.mark.parametrize("text", ["0", "1", "100%", "101%", "-1%", "one", "nan", "%", "1%%"])
def test_what_is_no_share_is_refused_with_the_fix(text):
    with pytest.raises(ConfigError) as caught:
        asked(text, "--sample")
    assert (caught.value.code, caught.value.exit_code) == ("LL-CONF-004", 2)
    assert caught.value.fix == "write 1% or 0.01"


def test_a_sample_has_a_root_of_its_own_by_argument_variable_or_config(conf, tmp_path, monkeypatch):
    real = tmp_path / ".lakeloom"
    assert open_lakehouse(conf).root == real
    one = open_lakehouse(conf, sample="1%")
    assert one.root == one.project.root == real / "samples" / "1pct"
    assert open_lakehouse(conf, sample="0.01").root == one.root
    monkeypatch.setenv("LAKELOOM_SAMPLE", "0.25%")
    assert open_lakehouse(conf).root == real / "samples" / "0.25pct"
    monkeypatch.delenv("LAKELOOM_SAMPLE")
    (conf / "dev.yml").write_text("sample: 10%\n")
    assert open_lakehouse(conf, "dev").root == open_lakehouse(conf, "dev").project.root == real / "samples" / "10pct"
    monkeypatch.setenv("LAKELOOM_HOME", str(tmp_path / "elsewhere"))
    assert open_lakehouse(conf, sample="1%").root == tmp_path / "elsewhere" / "samples" / "1pct"


def test_a_sample_is_told_to_nobody(conf):
    base = conf / "base.yml"
    base.write_text(base.read_text() + "mlflow: http://tracking.example:5000\ncatalog: {kind: hive}\n")
    real, sample = open_lakehouse(conf), open_lakehouse(conf, sample="1%")
    assert real.tracking == "http://tracking.example:5000" and real.project.settings.catalog.kind == "hive"
    assert sample.tracking == f"sqlite:///{sample.root}/mlflow.db"
    assert (sample.project.settings.mlflow, sample.project.settings.catalog.kind) == ("", "none")


def test_a_malformed_share_in_the_config_is_a_finding_at_its_line(conf):
    base = conf / "base.yml"
    base.write_text(base.read_text() + "sample: all\n")
    (finding,) = open_lakehouse(conf).check()
    assert (finding.code, finding.file, finding.line) == ("LL-CONF-004", "conf/base.yml", 4)


@pytest.mark.parametrize(
    ("said", "code", "says"),
    [
        ("some", "LL-CONF-004", "neither rows, whole nor a list"),
        ("[]", "LL-CONF-004", "neither rows, whole nor a list"),
        ("[custmer]", "LL-TABLE-003", "use 'customer'"),
    ],
)
def test_what_a_source_says_is_checked(conf, said, code, says):
    sources = conf / "shop" / "sources.yml"
    sound = sources.read_text()
    sources.write_text(sound.replace("format: csv}", f"format: csv, sample: {said}}}"))
    known = {"bronze.orders": ["order_id", "customer", "amount", "ordered_on", "_position", "_file"]}
    _, (finding,) = check(read(conf), known)
    assert (finding.code, finding.line) == (code, 2) and says in str(finding)
    for fine in ("rows", "whole", "[customer]"):
        sources.write_text(sound.replace("format: csv}", f"format: csv, sample: {fine}}}"))
        assert checked(read(conf), known).sources["orders"].sample

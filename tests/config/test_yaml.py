import pytest

from lakeloom.config.yaml import load


def document(tmp_path, text):
    file = tmp_path / "x.yml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(file, "conf/x.yml")


def test_every_key_has_its_line(tmp_path):
    found = document(tmp_path, "a:\n  b: 1\n  c:\n    - x\n    - {d: 2}\n")
    assert found.data == {"a": {"b": 1, "c": ["x", {"d": 2}]}}
    assert found.marks["a", "b"] == ("conf/x.yml", 2)
    assert found.marks["a", "c", "1", "d"] == ("conf/x.yml", 5)


def test_yaml_is_1_2(tmp_path):
    found = document(tmp_path, "rate: 1e-4\ncountry: no\nflag: true\nnothing:\n").data
    assert found == {"rate": 1e-4, "country": "no", "flag": True, "nothing": None}


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "LL-CONF-002", 3),
        ("a:\n\tb: 1\n", "LL-CONF-006", 2),
        ("a: [1,\nb: 2\n", "LL-CONF-001", 3),
        ("- a\n- b\n", "LL-CONF-001", 1),
        (b"a: \xff\xfe\n", "LL-CONF-001", 0),
    ],
)
def test_what_is_malformed_is_a_finding_at_its_line(tmp_path, text, code, line):
    (finding,) = document(tmp_path, text).findings
    assert (finding.code, finding.line, finding.file) == (code, line, "conf/x.yml")
    assert finding.message and finding.fix


def test_a_missing_file_is_a_finding(tmp_path):
    assert load(tmp_path / "none.yml", "none.yml").findings[0].code == "LL-CONF-001"


def test_a_mapping_may_be_said_once_and_merged(tmp_path):
    file = tmp_path / "a.yml"
    file.write_text("a: &all\n  x: 1\n  y: 2\nb:\n  <<: *all\n  y: 3\n")
    found = load(file, "a.yml")
    assert found.data == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}}
    assert found.marks["b", "y"] == ("a.yml", 6) and found.marks["b", "x"][1] in (4, 5)

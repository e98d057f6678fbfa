from lakeloom.api.doctor import diagnose


def found(root):
    return {each.name: each for each in diagnose(root)}


def test_each_thing_is_looked_at(root):
    names = found(root)
    assert {"JDK", "jars", "class-data archive", "disk", "storage root", "extra train", "extra tune"} <= set(names)
    assert all(each.fix for each in names.values() if each.status != "ok")


def test_missing_things_say_what_to_do(root, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(root / "nojava"))
    monkeypatch.setenv("LAKELOOM_JARS", str(root / "nojars"))
    names = found(root / "not" / "there")
    assert names["JDK"].status == names["jars"].status == "missing"
    assert "JAVA_HOME" in names["JDK"].fix
    assert names["storage root"].status == "ok"

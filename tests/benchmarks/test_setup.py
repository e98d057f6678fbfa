from benchmarks.setup import stages


def test_the_stages_are_read_from_what_the_set_up_prints():
    told = (
        "[   0.0 s] jars: fetching a, b\n[   5.4 s] jars: done in 5.4 s\n[  44.8 s] archive: done in 39.4 s\nset up\n"
    )
    assert stages(told) == (("jars", "5.4 s"), ("archive", "39.4 s"))

from benchmarks.cluster import result


def log(*steps):
    """Return a run's log: each step as (name, kind, start, end) in seconds."""
    lines = [{"at": "2026-01-01T00:00:00+00:00", "event": "run started"}]
    for name, kind, start, end in steps:
        lines.append({"at": f"2026-01-01T00:00:{start:02d}+00:00", "event": "step started", "step": name})
        lines.append(
            {"at": f"2026-01-01T00:00:{end:02d}+00:00", "event": "step done", "name": name, "kind": kind,
             "seconds": end - start, "rows_out": 1}
        )  # fmt: skip
    return lines


def test_the_ratio_is_that_of_the_last_steps_ends_and_the_step_that_loses_most_stands_first():
    local = log(("bronze.a", "land", 0, 10), ("silver.a", "transform", 10, 20))
    spread = log(("bronze.a", "land", 0, 12), ("silver.a", "transform", 12, 30))
    found = result(local, spread)
    assert (found.figures["local_s"], found.figures["cluster_s"], found.figures["ratio"]) == (20.0, 30.0, 1.5)
    assert found.tables[1].rows[0] == ("`silver.a`", "10.0", "18.0")
    assert [row[0] for row in found.tables[0].rows] == [
        "land the sources, together", "silver and gold tables, together", "all",
    ]  # fmt: skip

from benchmarks.main_job import Span, covered, result, spans


def line(second, event, **more):
    return {"at": f"2026-01-01T00:00:{second:02d}+00:00", "event": event, **more}


def done(second, name, kind, seconds):
    return line(second, "step done", name=name, kind=kind, seconds=seconds, rows_out=7)


LINES = [
    line(0, "run started"),
    line(1, "step started", step="bronze.a"),
    line(2, "step started", step="bronze.b"),
    done(8, "bronze.a", "land", 7.0),
    done(10, "bronze.b", "land", 8.0),
    line(12, "step started", step="silver.a"),
    done(20, "silver.a", "transform", 8.0),
    line(21, "run ended", status="done"),
]


def test_steps_side_by_side_count_once():
    assert spans(LINES) == [
        Span("bronze.a", "land", 1.0, 8.0, 7),
        Span("bronze.b", "land", 2.0, 10.0, 7),
        Span("silver.a", "transform", 12.0, 20.0, 7),
    ]
    assert covered(spans(LINES)) == 9.0 + 8.0
    assert covered([]) == 0.0


def test_the_figures_hold_the_whole_and_its_parts():
    found = result(LINES, wall=25.0, landing=1.0, before=1.5, after=1.5)
    assert found.figures["wall_s"] == 25.0
    assert (found.figures["run_s"], found.figures["land_s"], found.figures["transform_s"]) == (21.0, 9.0, 8.0)
    assert found.ratios["wall_s_of_target"] == round(25 / 300, 4)
    assert ("of the run, no step at work", "", "4.0") in found.tables[0].rows

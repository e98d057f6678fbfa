"""A run's log as the journal writes it: one step of each status."""

STARTED = "2026-01-05T09:00:00+00:00"
RESOURCES = {"tasks": 8, "task_seconds": 2.5, "bytes_read": 1024, "spilled_bytes": 0}
LOG = [
    {"at": STARTED, "event": "run started", "steps": ["bronze.a", "silver.a", "gold.a", "gold.b"]},
    {"at": "2026-01-05T09:00:01+00:00", "event": "step skipped", "name": "bronze.a", "kind": "land",
     "status": "skipped", "reason": "nothing new", "rows_in": 0, "rows_out": 0, "seconds": 0.01},
    {"at": "2026-01-05T09:00:03.500000+00:00", "event": "step done", "name": "silver.a", "kind": "transform", "status": "done",
     "reason": "it never ran", "rows_in": 10, "rows_out": 9, "quarantined": 1, "version": 0, "seconds": 2.5, "bytes": 99,
     "resources": RESOURCES},
    {"at": "2026-01-05T09:00:05+00:00", "event": "step failed", "name": "gold.a", "kind": "transform", "status": "failed",
     "reason": "Ada", "seconds": 1.0, "error": {"code": "LL-TABLE-005", "message": "a value of Ada", "where": "", "fix": ""}},
    {"at": "2026-01-05T09:00:05+00:00", "event": "step blocked", "name": "gold.b", "kind": "transform",
     "status": "blocked", "reason": "gold.a failed", "seconds": 0.0},
    {"at": "2026-01-05T09:00:06+00:00", "event": "freshness", "tables": [
        {"table": "silver.a", "newest": "2026-01-04T00:00:00+00:00", "allowed_s": 86400},
        {"table": "silver.b", "newest": None, "allowed_s": 60}]},
    {"at": "2026-01-05T09:00:06+00:00", "event": "run ended", "status": "failed", "seconds": 6.0},
]  # fmt: skip

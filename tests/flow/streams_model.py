"""What streaming tables should hold, computed in memory from the executions' rows: plain Python, no Spark."""

from datetime import UTC, datetime, timedelta

ZERO = datetime(1970, 1, 1, tzinfo=UTC)
DELAY = timedelta(seconds=613)
WINDOW, GAP, WITHIN = timedelta(minutes=10), timedelta(seconds=270), timedelta(minutes=10)


class Watched:
    """Rows in time, execution by execution, of inputs whose watermark is the least of them."""

    def __init__(self, executions, *inputs):
        """`executions`: one dict input → rows (with ``at``: a datetime or None) an execution."""
        newest = dict.fromkeys(inputs)
        self.reached, self.late, self.timeless = ZERO, 0, 0
        self.taken, self.marks = [], []
        for rows in executions:
            taken = {}
            for name in inputs:
                times = [row["at"] for row in rows[name]]
                self.timeless += times.count(None)
                self.late += sum(at is not None and at <= self.reached for at in times)
                taken[name] = [row for row in rows[name] if row["at"] is not None and row["at"] > self.reached]
            for name in inputs:
                newest[name] = max([*(row["at"] for row in taken[name]), *filter(None, [newest[name]])], default=None)
            before = self.reached
            least = min((at or ZERO + DELAY) for at in newest.values()) - DELAY
            self.reached = max(self.reached, least)
            self.taken.append(taken)
            self.marks.append((before, self.reached))

    def rows(self, name):
        return [row for taken in self.taken for row in taken[name]]


def windows(watched, name):
    """(key, began) → (sum, count) of windows that have closed."""
    found = {}
    for row in watched.rows(name):
        began = ZERO + (row["at"] - ZERO) // WINDOW * WINDOW
        total, count = found.get((row["k"], began), (0, 0))
        found[row["k"], began] = (total + row["v"], count + 1)
    return {key: value for key, value in found.items() if key[1] + WINDOW <= watched.reached}


def sessions(watched, name):
    """(key, began, ended, count) of sessions that have ended."""
    by_key = {}
    for row in watched.rows(name):
        by_key.setdefault(row["k"], []).append(row["at"])
    found = []
    for key, times in by_key.items():
        open_ = None
        for at in [*sorted(times), None]:
            if open_ and at is not None and at <= open_[1]:
                open_ = (open_[0], at + GAP, open_[2] + 1)
                continue
            if open_:
                found.append((key, *open_))
            open_ = at and (at, at + GAP, 1)
    return sorted(each for each in found if each[2] <= watched.reached)


def pairs(watched, left, right):
    """(left's id, right's id or None): those that met in time, and those of the left that nobody can meet any more."""
    others = watched.rows(right)
    found = []
    for row in watched.rows(left):
        met = [each["id"] for each in others if each["k"] == row["k"] and row["at"] <= each["at"] <= row["at"] + WITHIN]
        found += [(row["id"], other) for other in met]
        if not met and row["at"] + WITHIN < watched.reached:
            found.append((row["id"], None))
    return sorted(found, key=str)


def firsts(watched, name):
    """(key, value, at) of rows that did not come before, as long as that was remembered."""
    known, found = {}, []
    for taken, (_, after) in zip(watched.taken, watched.marks, strict=True):
        for row in taken[name]:
            key = (row["k"], row["v"])
            if key not in known:
                known[key] = row["at"] + DELAY
                found.append((*key, row["at"]))
        known = {key: until for key, until in known.items() if until > after}
    return sorted(found)


def totals(executions, name):
    """Key → sum over all rows, whenever they happened."""
    found = {}
    for rows in executions:
        for row in rows[name]:
            found[row["k"]] = found.get(row["k"], 0) + row["v"]
    return found

"""A strict reader of Prometheus' text format 0.0.4: it refuses what the exporter of a node would refuse."""

import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
VALUE = re.compile(r"[+-]?(?:\d+(?:\.\d*)?(?:e[+-]?\d+)?|Inf)|NaN", re.IGNORECASE)


def parse(text):
    """Return [(name, labels, value)]; raises ValueError."""
    if not text.endswith("\n"):
        raise ValueError("no line feed at the end")
    helped, typed, found, seen, closed = set(), {}, [], set(), set()
    last = None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            helped.add(line.split(" ", 3)[2])
            continue
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            if name in typed or name in closed or kind not in ("gauge", "counter"):
                raise ValueError(line)
            typed[name] = kind
            continue
        name, labels, value = split(line)
        if name not in typed or name not in helped:
            raise ValueError(f"{name} has no TYPE or HELP")
        if name != last and name in closed:
            raise ValueError(f"{name} is not in one group")
        closed.add(name)
        last = name
        key = (name, tuple(sorted(labels.items())))
        if key in seen:
            raise ValueError(f"twice: {line}")
        seen.add(key)
        found.append((name, labels, value))
    return found


def split(line):
    name = NAME.match(line)
    if name is None:
        raise ValueError(line)
    rest, labels = line[name.end() :], {}
    if rest.startswith("{"):
        rest = rest[1:]
        while not rest.startswith("}"):
            pair = LABEL.match(rest)
            if pair is None or pair[1] in labels:
                raise ValueError(line)
            labels[pair[1]] = pair[2].replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\")
            rest = rest[pair.end() :].removeprefix(",")
        rest = rest[1:]
    if not rest.startswith(" ") or VALUE.fullmatch(rest[1:]) is None:
        raise ValueError(line)
    return name[0], labels, float(rest[1:])

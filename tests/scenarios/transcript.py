"""What people typed and what they were told, as a text that is the same in every run."""

import re

from typer.testing import CliRunner

from lakeloom.cli.app import app

# What differs between two runs of the same story, and what stands for it. Times with a zone and no fraction are data's.
_PLAIN = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+\+00:00|(?![\d.+Z]))"), "TIME"),
    (re.compile(r"\b\d[\d,]*\.\d+ s\b"), "N s"),
    (re.compile(r"^( \S+  (?:done|skipped)  (?:\d[\d,]*  )*)\d+\.\d(?=  )", re.MULTILINE), r"\1N"),
    (re.compile(r"\b\d[\d.,]* (?:B|KiB|MiB)(?!\w)"), "N bytes"),
    (re.compile(r"\bmlflow_run=[0-9a-f]{32}\b"), "mlflow_run=ID"),
    (re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{12})\b"), "HASH"),
    (re.compile(r"\bscore=[\d.]+"), "score=N"),
]
_RUN = re.compile(r"\d{8}T\d{6}-\d{6}")


class Transcript:
    """The commands of a story, with what they printed.

    Parameters
    ----------
    monkeypatch : pytest.MonkeyPatch
        Sets who types, and in which folder.
    """

    def __init__(self, monkeypatch):
        self.monkeypatch, self.lines = monkeypatch, []

    def type(self, who, folder, *words, code=0, told=True):
        """Run a command as somebody in a folder, and return what it printed; `told` puts it into the text."""
        self.monkeypatch.setenv("LOGNAME", who)
        self.monkeypatch.chdir(folder)
        done = CliRunner().invoke(app, list(words))
        assert done.exit_code == code, f"{words}: {done.exit_code}\n{done.output}\n{done.exception!r}"
        said = done.stdout if code == 0 else done.output
        shown = " ".join(f'"{word}"' if " " in word else word for word in words)
        self.lines += [f"{who}$ lakeloom {shown}", *(said.rstrip().splitlines() if told else ["…"]), ""]
        return said

    def say(self, text):
        """Put a line between the commands."""
        self.lines += [f"# {text}", ""]

    def text(self, *folders):
        """Return all of it without what differs between two runs; `folders` lose their paths."""
        text = "\n".join(_narrow(line) for line in self.lines) + "\n"
        for folder in folders:
            text = text.replace(f"{folder}/", "")
        runs = {}
        text = _RUN.sub(lambda found: runs.setdefault(found[0], f"RUN-{len(runs) + 1}"), text)
        for pattern, word in _PLAIN:
            text = pattern.sub(word, text)
        return text


def _narrow(line):
    """Return a line without rulers, and with two blanks for more: the widths go with the figures."""
    if set(line.strip()) <= {"─"}:
        return ""
    indent = len(line) - len(line.lstrip())
    return line[:indent] + re.sub(r" {3,}", "  ", line[indent:]).rstrip()

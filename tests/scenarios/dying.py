"""The command line in a process of its own that dies by SIGKILL, with all that it has started, at a named moment.

A moment is a call of a function (before it, after it, or halfway through what it was given), or the first data
file of a table. So each point between two durable writes is met, however fast the machine is.
"""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
_CHILD = """\
import importlib, json, os, signal, sys, threading
from datetime import datetime, timedelta
from pathlib import Path

told, sys.argv = json.loads(sys.argv[1]), ["lakeloom", *sys.argv[2:]]
moment = told["moment"]
for constant, value in told["constants"].items():
    module, _, name = constant.partition(":")
    setattr(importlib.import_module(module), name, value)

def die():
    os.killpg(os.getpgrp(), signal.SIGKILL)

def meant(arguments):
    return not moment["word"] or any(
        moment["word"] in each if isinstance(each, str) else moment["word"] == str(each) for each in arguments
    )

def halved(each):
    return each[: len(each) // 2] if isinstance(each, tuple) else each

def arm():
    module, _, path = moment["call"].partition(":")
    owner = importlib.import_module(module)
    *outer, name = path.split(".")
    for each in outer:
        owner = getattr(owner, each)
    right = getattr(owner, name)
    def dying(*words, **more):
        if not meant([*words, *more.values()]):
            return right(*words, **more)
        if moment["when"] == "amid":
            right(*map(halved, words), **more)
        elif moment["when"] == "after":
            right(*words, **more)
        die()
    setattr(owner, name, dying)

def watch(folder):
    there = set(folder.glob("*.parquet"))
    while set(folder.glob("*.parquet")) <= there:
        pass
    die()

if told["hours"]:
    import pkgutil
    real = datetime
    class Kind(type):
        def __instancecheck__(self, each):
            return isinstance(each, real)
    class Later(real, metaclass=Kind):
        @classmethod
        def now(cls, zone=None):
            return real.now(zone) + timedelta(hours=told["hours"])
    for room in ("flow", "store", "sinks"):
        package = importlib.import_module(f"lakeloom.{room}")
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(found.name)
            if getattr(module, "datetime", None) is real:
                module.datetime = Later
if moment and moment["when"] == "writing":
    threading.Thread(target=watch, args=[Path(moment["call"])], daemon=True).start()
elif moment:
    arm()
from lakeloom.cli.app import run
run()
"""


@dataclass(frozen=True)
class Moment:
    """When a process dies.

    Attributes
    ----------
    when : {'before', 'after', 'amid', 'writing'}
    call : str
        ``module:function`` as it is called; for ``writing`` the folder of a table.
    word : str
        Only where an argument is this, or a text with it.
    """

    when: str
    call: str
    word: str = ""


@contextmanager
def started(conf, *words, moment=None, hours=0, secrets=None, constants=None):
    """Start the command line in a process group of its own, which has ended when the block ends.

    Its clock is ahead by so many hours; `secrets` are variables beside those of the test, without LAKELOOM's;
    `constants` are ``module:NAME`` → value.
    """
    told = json.dumps({"moment": asdict(moment) if moment else None, "hours": hours, "constants": constants or {}})
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LAKELOOM_")}
    environment |= {"PYTHONPATH": str(HOME / "lib"), "PYTHONDONTWRITEBYTECODE": "1"} | (secrets or {})
    process = subprocess.Popen(
        [sys.executable, "-c", _CHILD, told, *words, "--conf", str(conf)], env=environment, start_new_session=True,
        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):  # all of it had ended by itself
            os.killpg(process.pid, signal.SIGKILL)


def lakeloom(conf, *words, moment=None, hours=0, constants=None):
    """Call the command line to its end, or to the moment; its clock is ahead by so many hours."""
    with started(conf, *words, moment=moment, hours=hours, constants=constants) as process:
        said, complained = process.communicate(timeout=300)
    return subprocess.CompletedProcess(words, process.returncode, said, complained)


def dies(conf, moment, *words, hours=0, constants=None):
    """Call the command line and see it die at the moment."""
    done = lakeloom(conf, *words, moment=moment, hours=hours, constants=constants)
    assert done.returncode == -signal.SIGKILL, (moment, done.returncode, done.stdout[-2000:], done.stderr[-2000:])


def finishes(conf, *words, hours=0):
    """Call the command line; it must end well. Return what it said."""
    done = lakeloom(conf, *words, hours=hours)
    assert done.returncode == 0, (words, done.returncode, done.stdout[-3000:], done.stderr[-3000:])
    return done.stdout

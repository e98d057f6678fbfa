"""`make setup`: from a machine with Python 3.11, a JDK, g++ and make to one where everything runs.

Five stages, each with a key of what it depends on and a look at what it made; one whose key and
product are as they were is passed over, so a second set-up does nothing, and one that was
interrupted goes on. It refuses a machine that lacks something, with one line that says what to
install. Nothing is taken without a checksum, and nothing after it needs the network.
"""

from __future__ import annotations

import fcntl
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass

from stages import archive, horovod, jars, locks, machine, packages
from stages.failure import SetupError
from stages.places import Places
from stages.progress import Progress
from stages.stamp import Stamp, key


@dataclass(frozen=True)
class Stage:
    """One stage: what it depends on, whether its product is there, and how to make it."""

    name: str
    doing: str
    key: Callable[[], str]
    ready: Callable[[], bool]
    make: Callable[[], object]


def stages(places: Places, java: machine.Java, stamp: Stamp, progress: Progress) -> list[Stage]:
    """Return the stages in their order."""
    environment = places.environment
    lock = locks.jars(environment / "jars.lock")
    # Not the Python that runs this: an environment that works stays, whichever 3.11 on PATH comes first.
    here = f"{platform.machine()} {places.venv}"

    def install_packages() -> None:
        # Half an environment can look like a whole one: what was interrupted is made anew, from uv's cache.
        packages.make_venv(places, progress, afresh=stamp.begun("python packages"))
        stamp.begin("python packages")
        packages.sync(places, progress)

    def install_horovod() -> None:
        machine.check_compiler()
        packages.install(places, progress, horovod.wheel(places, progress))

    return [
        Stage(
            "python packages",
            "installing what requirements.lock says (about 6 GB; a minute or two when not cached)",
            lambda: key(environment / "requirements.lock", environment / "tools.lock", here),
            lambda: places.python.exists() and packages.installed(places, "pyspark"),
            install_packages,
        ),
        Stage(
            "lakeloom",
            "installing the checkout in place",
            lambda: key(places.checkout / "setup.py", here),
            lambda: packages.installed(places, "lakeloom") and (places.venv / "bin" / "lakeloom").exists(),
            lambda: packages.install(places, progress, "--editable", places.checkout),
        ),
        Stage(
            "horovod",
            "installing its wheel, compiled first (2 to 5 minutes) unless the cache has it",
            lambda: key(horovod.wheel_folder(places).name, here),
            lambda: packages.installed(places, "horovod"),
            install_horovod,
        ),
        Stage(
            "jars",
            "fetching " + ", ".join(jar.name for jar in lock),
            lambda: key(environment / "jars.lock"),
            lambda: not jars.missing(places, lock),
            lambda: jars.supply(places, lock, jars.by_ivy(places, java, progress)),
        ),
        Stage(
            "class-data archive",
            "running Spark once, so that it starts faster ever after",
            lambda: archive.archive_key(places, java),
            lambda: archive.whole(places),
            lambda: archive.make(places, java, progress),
        ),
    ]


def prepare(places: Places) -> None:
    """Bring every stage up to date; raises `SetupError` with a code at the first that can't be."""
    machine.check_python()
    java = machine.find_java()
    places.cache.mkdir(parents=True, exist_ok=True)
    progress = Progress(places.environment / ".setup.log")
    with (places.environment / ".setup.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # a second set-up of this checkout waits, then finds it done
        progress.held = (held.fileno(),)  # and also waits for what a killed one left running
        stamp = Stamp(places.venv / "lakeloom-setup.json")
        did = False
        for stage in stages(places, java, stamp, progress):
            if stage.ready() and stamp.current(stage.name, stage.key()):
                continue
            if not did:
                machine.check_compiler()  # before the first download, not after it
            did = True
            with progress.stage(stage.name, stage.doing):
                stage.make()
            stamp.note(stage.name, stage.key())
        if did:
            progress.say("set up")


def main() -> int:
    """Prepare this checkout; return the exit status."""
    try:
        prepare(Places.here())
    except SetupError as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; 'make setup' goes on from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

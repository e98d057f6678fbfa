"""Optional packages: which extra brings which, and the one error that says so where one is missing.

Code that needs an optional package just imports it. The edges (a step, a command, a kind that is
picked, a call from Python) hand what was raised to `missing`, which turns the import error of a
known package into LL-SETUP-003; anything else is not its business.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from contextlib import contextmanager

from lakeloom.core.errors import SetupError

# Extra → the modules that its packages bring. The extras themselves stand in setup.py.
EXTRAS: dict[str, tuple[str, ...]] = {
    "train": ("torch", "sklearn", "scipy", "mlflow", "matplotlib", "cloudpickle"),
    "horovod": ("horovod",),
    "petastorm": ("petastorm",),
    "tune": ("hyperopt",),
    "quality": ("great_expectations",),
    "aws": ("boto3", "botocore"),
    "gcp": ("google.cloud.storage",),
    "azure": ("azure.storage.blob", "azure.identity"),
    "sftp": ("asyncssh", "bcrypt"),
    "postgresql": ("adbc_driver_postgresql",),
    "formats": ("fastavro", "openpyxl", "lxml"),
    "keyring": ("keyring",),
    "databricks": ("databricks.bundles",),
    "connect": ("grpc", "grpc_status"),
}
# A worker's error reaches the driver as a text.
_SAID = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")


def extra_of(module: str) -> str | None:
    """Return the extra that brings `module`, None for one that no extra brings.

    Examples
    --------
    >>> extra_of("torch.nn"), extra_of("google.cloud"), extra_of("json")
    ('train', 'gcp', None)
    """
    for extra, modules in EXTRAS.items():
        for known in modules:
            # Of a namespace package (google, azure) its own name may be what is missing.
            if module == known or module.startswith(f"{known}.") or known.startswith(f"{module}."):
                return extra
    return None


def absent(extra: str) -> list[str]:
    """Return the modules of `extra` that are not installed; none of them is imported."""
    return [module for module in EXTRAS[extra] if not _installed(module)]


def command(extra: str) -> str:
    """Return what to type to install `extra`."""
    return f"pip install 'lakeloom[{extra}]'"


def missing(cause: BaseException, where: str = "") -> SetupError | None:
    """Return LL-SETUP-003 where `cause` is, or was raised from, the missing import of an extra's package."""
    here: BaseException | None = cause
    while here is not None:
        module = _module(here)
        extra = extra_of(module) if module else None
        if extra is not None:
            return SetupError(
                "LL-SETUP-003",
                f"the package '{module}' is not installed",
                where=where,
                fix=f"{command(extra)}, on the workers too where there are any",
            )
        here = here.__cause__
    return None


@contextmanager
def coded(where: str = "") -> Iterator[None]:
    """Turn a missing package of an extra, inside the block or the decorated function, into LL-SETUP-003."""
    try:
        yield
    except ImportError as cause:
        error = missing(cause, where)
        if error is None:
            raise
        raise error from cause


def _module(cause: BaseException) -> str:
    if isinstance(cause, ModuleNotFoundError):
        return cause.name or ""
    found = _SAID.search(str(cause))
    return found.group(1) if found else ""


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # a namespace above it is missing, or what was imported has no spec
        return False

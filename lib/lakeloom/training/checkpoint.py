"""Checkpoints of a training: one file an epoch, written beside and renamed, so that each is whole.

The newest that can be read and belongs to the same job is where a killed training goes on; one that
is damaged is passed over for the one before it.
"""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

State = dict[str, Any]

KEPT = 2


def write_checkpoint(folder: Path, epoch: int, state: State) -> Path:
    """Write `state` as the checkpoint of `epoch` (from 1) and drop all but the newest two."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"epoch-{epoch:04d}.pt"
    beside = place.with_suffix(f".{os.getpid()}.tmp")
    with beside.open("wb") as out:
        torch.save(state, out)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(place)
    for old in sorted(folder.glob("epoch-*.pt"))[:-KEPT]:
        old.unlink()
    return place


def read_checkpoint(folder: Path, job: str) -> State | None:
    """Return the newest whole checkpoint of `job` (a digest), or None."""
    import torch

    for place in sorted(folder.glob("epoch-*.pt"), reverse=True):
        try:
            state: State = torch.load(place, weights_only=True)
        except (OSError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError):
            continue
        if state.get("job") == job:
            return state
    return None

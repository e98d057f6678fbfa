"""What was seen of a source, and what is proposed for it: of a part of its rows, so that rules warn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lakeloom.quality.profile import TableProfile
from lakeloom.quality.proposals import Proposal, proposals


@dataclass(frozen=True)
class Seen:
    """What was seen of one source.

    Attributes
    ----------
    name : str
    entry : dict
        For ``sources.yml``.
    why : dict
        Key of the entry → why it is so; under ``""`` what was looked at.
    profile : TableProfile
        Of the rows that were looked at, as bronze would have them.
    told : tuple of Proposal
        For the table that is made of it.
    """

    name: str
    entry: Mapping[str, Any]
    why: Mapping[str, str]
    profile: TableProfile
    told: tuple[Proposal, ...] = field(repr=False)

    @property
    def table(self) -> str:
        """The silver table that is made of it."""
        return f"silver.{self.name}"


def seen(
    name: str, entry: Mapping[str, Any], why: Mapping[str, str], profile: TableProfile, keys: Sequence[str] = ()
) -> Seen:
    """Return what was seen, with what the rows that were looked at speak for.

    Rows to come may be others: what they speak for warns, and only a key is kept from being NULL.

    Parameters
    ----------
    keys : sequence of str
        Proven by the source itself; else those of the profile are proposed.
    """
    told = [
        _warning(each)
        for each in proposals(profile, raw=True)
        if not (each.kind == "nullable" and each.config.get("columns"))
    ]
    if keys:
        told = [each for each in told if each.kind != "key"]
        config = {"keys": list(keys)}
        told.append(Proposal("key", tuple(keys), f"keys: [{', '.join(keys)}]", why["keys"], "high", config))
    return Seen(name, entry, why, profile, tuple(told))


def _warning(proposal: Proposal) -> Proposal:
    rules = [dict(rule) | {"otherwise": "warn"} for rule in proposal.config.get("rules", ())]
    return replace(proposal, config=dict(proposal.config) | {"rules": rules}) if rules else proposal


def many(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"

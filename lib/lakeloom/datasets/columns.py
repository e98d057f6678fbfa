"""Which columns a dataset has: names resolved against the declared views, without Spark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from lakeloom.core.errors import FeatureError
from lakeloom.core.kinds import nearest
from lakeloom.datasets.spec import DatasetSpec, FeatureUse
from lakeloom.features.spec import FeatureView, Output

AS_OF, ROW, SPLIT, LABEL = "_as_of", "_row", "_split", "label"


def outputs(use: FeatureUse, views: Mapping[str, FeatureView], where: str = "") -> tuple[Output, ...]:
    """Return what `use` takes of its view.

    Raises
    ------
    FeatureError
        LL-FEATURE-002 for a view that is not declared, a column that it does not give, a key it does not have.
    """
    if use.view is None or use.view not in views:
        near = nearest(str(use.view), list(views))
        raise FeatureError(
            "LL-FEATURE-002",
            f"feature view '{use.view}' is not declared; there are {', '.join(sorted(views)) or 'none'}",
            where=where,
            fix=f"use '{near}'" if near else "declare it among the features",
        )
    view = views[use.view]
    strangers = sorted(set(use.on) - set(view.keys))
    if strangers:
        raise FeatureError(
            "LL-FEATURE-002",
            f"on: '{', '.join(strangers)}' is no key of view '{use.view}' ({', '.join(view.keys)})",
            where=where,
            fix="write on: {key of the view: column of the labels}",
        )
    try:
        return view.select(use.columns)
    except KeyError as missing:
        valid = [one.suffix for one in view.outputs()]
        near = nearest(str(missing.args[0]), valid)
        raise FeatureError(
            "LL-FEATURE-002",
            f"view '{use.view}' gives no '{missing.args[0]}'; it gives {', '.join(valid)}",
            where=where,
            fix=f"use '{near}'" if near else "use one of them",
        ) from None


def feature_names(spec: DatasetSpec, views: Mapping[str, FeatureView], where: str = "") -> tuple[str, ...]:
    """Return a dataset's features in order: bare columns and views as declared, then the derived ones.

    Raises
    ------
    FeatureError
        LL-FEATURE-002 as `outputs`, and for a name that is given twice or taken by the platform.
    """
    names: list[str] = []
    for use in spec.features:
        if use.column is not None:
            names.append(use.column)
        else:
            names += [f"{use.name}__{one.suffix}" for one in outputs(use, views, where)]
    names += spec.derive
    twice = [name for name, times in Counter(names).items() if times > 1]
    # A derived column over a key's name would take the key's place; a bare one is the key itself.
    taken = [name for name in names if name == LABEL] + [name for name in spec.derive if name in spec.labels.keys]
    for wrong, why in ((twice, "named twice among the features"), (taken, "the name of a key or of the label")):
        if wrong:
            raise FeatureError(
                "LL-FEATURE-002",
                f"{', '.join(wrong)}: {why}",
                where=where,
                fix="rename or drop one, or give the view a prefix",
            )
    return tuple(names)


def known_columns(spec: DatasetSpec, views: Mapping[str, FeatureView]) -> dict[str, str]:
    """Return the label table's columns that need an availability time → what they are used for."""
    used = dict.fromkeys(spec.columns, "a feature")
    for use in spec.features:
        if use.view is not None and use.view in views:
            for key in views[use.view].keys:
                used.setdefault(use.on.get(key, key), f"a key of view '{use.view}'")
    return used

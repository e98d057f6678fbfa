"""The lineage graph as a drawing: boxes by kind, edges that light up with the node under the pointer."""

from __future__ import annotations

import itertools

from markupsafe import Markup

from lakeloom.pages import svg
from lakeloom.pages.figure import Figure, Table
from lakeloom.pages.layout import Layout, place
from lakeloom.pages.model import Lineage, Node

_STYLES = {
    "source": "k-source", "bronze": "k-bronze", "silver": "k-silver", "gold": "k-gold",
    "features": "k-features", "feature": "k-features", "dataset": "k-dataset", "datasets": "k-dataset",
    "model": "k-model", "scores": "k-scores", "quarantine": "k-quarantine",
}  # fmt: skip
_CHARACTERS = 17  # of a name on one line of a box


def graph(lineage: Lineage) -> Figure | None:
    """Draw the graph, with its edges as a table; None where there is no node."""
    nodes = {node.id: node for node in lineage.nodes}
    if not nodes:
        return None
    layout = place(tuple(nodes.values()), lineage.edges)
    order = sorted(nodes, key=lambda name: (layout.boxes[name].x, layout.boxes[name].y))
    index = {name: position for position, name in enumerate(order)}
    hows: dict[tuple[str, str], list[str]] = {}
    for edge in lineage.edges:
        hows.setdefault((edge.upstream, edge.downstream), []).append(edge.how)
    drawn = [svg.text(column.x + 2, 18, " · ".join(column.kinds), class_="column") for column in layout.columns]
    drawn += [_edge(points, index[pair[0]], index[pair[1]], hows[pair]) for pair, points in layout.lines.items()]
    drawn += [_box(nodes[name], index[name], layout) for name in order]
    rows = tuple((e.upstream, e.downstream, e.how) for e in lineage.edges)
    label = (
        f"Lineage: {len(nodes)} nodes and {len(layout.lines)} edges, from sources on the left to scores on the right"
    )
    return Figure(
        "From source to score",
        svg.canvas(drawn, layout.width, layout.height, label, kind="graph"),
        "Point at a box, or reach it with the Tab key, to see what it is made from and what is made from it. "
        "Click to keep it lit, Escape to let go.",
        table=Table(("From", "To", "How"), rows, caption="Edges of the lineage graph"),
        span="full" if layout.width < 1150 else "broad",
    )


def _edge(points: list[tuple[float, float]], start: int, end: int, hows: list[str]) -> Markup:
    path = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x1, y1), (x2, y2) in itertools.pairwise(points):
        if y1 == y2:
            path.append(f"L{x2:.1f} {y2:.1f}")
        else:
            bend = (x2 - x1) / 2
            path.append(f"C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}")
    how = ", ".join(each for each in hows if each)
    shape = svg.tag("path", svg.tip(how) if how else None, d=" ".join(path))
    return svg.tag("g", shape, class_="edge", data_from=start, data_to=end)


def _box(node: Node, index: int, layout: Layout) -> Markup:
    box = layout.boxes[node.id]
    layer, dot, rest = node.id.partition(".")
    name = rest if dot and layer.rstrip("s") == node.kind.rstrip("s") else node.id
    return svg.tag(
        "g",
        svg.tip(f"{node.id} ({node.kind})"),
        svg.tag("rect", x=box.x, y=box.y, width=box.width, height=box.height, rx=6, class_="box"),
        svg.tag("rect", x=box.x, y=box.y + 6, width=4, height=box.height - 12, rx=2, class_="stripe"),
        svg.text(box.x + 11, box.y + 12, node.kind, class_="kind"),
        *(
            svg.text(box.x + 11, box.y + y, part, class_="name")
            for y, part in zip((27, 38), _broken(name), strict=False)
        ),
        class_=f"node {_STYLES.get(node.kind, 'k-other')}",
        data_node=index,
        tabindex=0,
        role="button",
        aria_label=f"{node.id}, {node.kind}",
    )


def _broken(name: str) -> list[str]:
    """Break a name into at most two lines, after an underscore, dot or dash where one stands well."""
    if len(name) <= _CHARACTERS:
        return [name]
    ends = [at for at in range(_CHARACTERS // 2, _CHARACTERS + 1) if name[at - 1] in "_.- "]
    cut = ends[-1] if ends else _CHARACTERS
    rest = name[cut:]
    return [name[:cut], rest if len(rest) <= _CHARACTERS else rest[: _CHARACTERS - 1] + "…"]

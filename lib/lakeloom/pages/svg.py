"""Inline SVG: elements that escape by construction, linear scales, axes.

Drawn by hand rather than by matplotlib: a page with fifteen plots stays near 200 kB, text stays text
(searchable, selectable, in the reader's font), colours follow the page's light or dark scheme through
CSS classes, and every mark can carry its own hover title. No text reaches the page but through
`tag`, which escapes it; there is no other way to make `Markup` in this package.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape


def tag(name: str, *children: object, **attributes: object) -> Markup:
    """Build one element.

    Parameters
    ----------
    name : str
        The element's name, written by this package, never taken from data.
    *children : object
        `Markup` is taken as it is, None is left out, anything else is escaped.
    **attributes : object
        ``class_`` and ``stroke_width`` become ``class`` and ``stroke-width``; None is left out,
        floats are rounded to two decimals.
    """
    # Joined by hand, each part escaped: Markup's own format takes five times as long, and a page has thousands.
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_plain(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(str(escape(child)) for child in children if child is not None)
    return Markup(f"<{name}{written}>{inner}</{name}>")  # noqa: S704 - our own names, and what is escaped


def group(children: Iterable[Markup], **attributes: object) -> Markup:
    """Wrap elements in a ``g``."""
    return tag("g", *children, **attributes)


def text(x: float, y: float, words: object, **attributes: object) -> Markup:
    """Write text at a point."""
    return tag("text", words, x=x, y=y, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, **attributes: object) -> Markup:
    """Draw a straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, **attributes)


def trace(points: Sequence[tuple[float, float]], **attributes: object) -> Markup:
    """Draw a line through `points`."""
    return tag("polyline", points=" ".join(f"{_plain(x)},{_plain(y)}" for x, y in points), **attributes)


def tip(words: str) -> Markup:
    """Give a mark its hover text; the page's script shows it at once, browsers without it after a while."""
    return tag("title", words)


def canvas(children: Iterable[Markup], width: float, height: float, label: str, kind: str = "plot") -> Markup:
    """Close a drawing: `width` × `height` user units, scaled to its place, with a label for screen readers."""
    role = "group" if kind == "graph" else "img"
    return tag(
        "svg",
        *children,
        viewBox=f"0 0 {_plain(width)} {_plain(height)}",
        role=role,
        aria_label=label,
        class_=kind,
        style=f"--natural:{_plain(width)}px",
        focusable="false",
    )


def _plain(value: object) -> object:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".") if math.isfinite(value) else "0"
    return value


@dataclass(frozen=True)
class Scale:
    """A linear map from data (`low` … `high`) to user units (`start` … `stop`)."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        """Return where `value` stands, in user units."""
        span = self.high - self.low
        return self.start + (value - self.low) / (span or 1.0) * (self.stop - self.start)

    @classmethod
    def around(cls, values: Sequence[float], start: float, stop: float, *, zero: bool = False) -> Scale:
        """Fit round ends around `values`; `zero` puts 0 among them."""
        low, high = min(values, default=0.0), max(values, default=1.0)
        if zero:
            low, high = min(low, 0.0), max(high, 0.0)
        if high - low < 1e-12:
            low, high = low - (0 if zero and low >= 0 else abs(low) * 0.05 or 0.5), high + (abs(high) * 0.05 or 0.5)
        step = _step(high - low, 5)
        return cls(math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, start, stop)

    def ticks(self, about: int = 5) -> list[float]:
        """Return near `about` round values inside the scale."""
        step = _step(self.high - self.low, about)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [index * step for index in range(first, last + 1)]


def _step(span: float, about: int) -> float:
    raw = max(span, 1e-12) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    return next(power * each for each in (1, 2, 2.5, 5, 10) if power * each >= raw * 0.999)


def digits(scale: Scale, about: int = 5) -> Callable[[float], str]:
    """Return a format with as many decimals as the scale's ticks need."""
    step = _step(scale.high - scale.low, about)
    places = max(0, min(6, -math.floor(math.log10(step) + 1e-9)))
    if abs(round(step, places) - step) > step * 1e-6:
        places += 1
    return lambda value: f"{value + 0.0:,.{places}f}".replace("-", "\u2212")


def axes(
    x: Scale,
    y: Scale,
    x_label: str,
    y_label: str,
    *,
    about: int = 5,
    x_format: Callable[[float], str] | None = None,
    y_format: Callable[[float], str] | None = None,
    x_ticks: Sequence[float] | None = None,
) -> Markup:
    """Draw grid, tick labels and titles of both axes; `y` runs upwards (``y.start`` is the bottom).

    `x_ticks` stands in for the round values of `x`.
    """
    x_words, y_words = x_format or digits(x, about), y_format or digits(y, about)
    drawn = []
    for value in y.ticks(about):
        drawn.append(line(x.start, y(value), x.stop, y(value), class_="grid"))
        drawn.append(text(x.start - 7, y(value) + 3.8, y_words(value), class_="tick", text_anchor="end"))
    for value in x.ticks(about) if x_ticks is None else x_ticks:
        drawn.append(line(x(value), y.start, x(value), y.start + 4, class_="axis"))
        drawn.append(text(x(value), y.start + 17, x_words(value), class_="tick", text_anchor="middle"))
    drawn.append(line(x.start, y.start, x.stop, y.start, class_="axis"))
    drawn.append(text((x.start + x.stop) / 2, y.start + 35, x_label, class_="label", text_anchor="middle"))
    drawn.append(text(x.start - 42, y.stop - 10, y_label, class_="label", text_anchor="start"))
    return group(drawn, aria_hidden="true")

"""Where the boxes and lines of an enterprise's relations go: those it belongs to on the left, its own on the right.

Pure; units are those of the SVG's view box. The list beside the drawing has everything; the drawing has the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, BOX, ROW, MOST, LETTERS = 860, 210, 58, 6, 13
HIGH = 42


@dataclass(frozen=True, slots=True)
class Box:
    """An enterprise: its place, its name in at most two lines; ``own`` is the one whose file it is."""

    x: int
    y: int
    lines: tuple[str, ...]
    own: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A relation from left to right, and what stands on it."""

    x1: int
    y1: int
    x2: int
    y2: int
    label: str

    @property
    def middle(self) -> tuple[float, float]:
        """Where the label stands."""
        return (self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2 - 4


@dataclass(frozen=True, slots=True)
class Drawing:
    """All of it. left_out: how many relations are only in the list."""

    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    left_out: int


def draw(own: str, left: Sequence[tuple[str, str]], right: Sequence[tuple[str, str]]) -> Drawing:
    """Draw (name, label) of both sides around an enterprise."""
    rows = max(1, min(MOST, max(len(left), len(right))))
    height = rows * ROW + 10
    centre = height // 2
    middle = (WIDTH - BOX) // 2
    boxes = [Box(middle, centre - HIGH // 2, wrapped(own), own=True)]
    lines = []
    for side, x in ((left[:MOST], 0), (right[:MOST], WIDTH - BOX)):
        top = centre - len(side) * ROW // 2
        for n, (name, label) in enumerate(side):
            y = top + n * ROW + ROW // 2
            boxes.append(Box(x, y - HIGH // 2, wrapped(name)))
            if x == 0:
                lines.append(Line(BOX, y, middle, centre, label))
            else:
                lines.append(Line(middle + BOX, centre, x, y, label))
    shown = min(MOST, len(left)) + min(MOST, len(right))
    return Drawing(height, tuple(boxes), tuple(lines), len(left) + len(right) - shown)


def wrapped(name: str) -> tuple[str, ...]:
    """A name in at most two lines that fit into a box."""
    if len(name) <= LETTERS:
        return (name,)
    bracket = name.rfind("（", 1, LETTERS + 1)
    cut = bracket if len(name) - bracket <= LETTERS and bracket > 0 else LETTERS
    rest = name[cut:]
    return (name[:cut], rest if len(rest) <= LETTERS else rest[: LETTERS - 1] + "…")

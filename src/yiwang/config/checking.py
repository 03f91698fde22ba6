"""Everything wrong in a tree of packs, by what every room knows of its own kinds."""

from pathlib import Path

from yiwang.domains.enterprise import lint as enterprise
from yiwang.domains.enterprise.portrait import lint as portrait
from yiwang.domains.enterprise.risk import lint as risk
from yiwang.domains.publicity import lint as publicity
from yiwang.engines.cases import lint as cases
from yiwang.kernel.packs.contracts import Problem
from yiwang.kernel.packs.loader import read


def check_packs(root: Path) -> list[Problem]:
    """Problems with file, line and remedy; empty when the tree may be loaded."""
    library = read(root)[0]
    rooms = (enterprise, risk, portrait, publicity)
    return [*cases.check_packs(root), *(problem for room in rooms for problem in room.lint(library))]


def analysed(root: Path) -> list[Problem]:
    """What is odd in the rule tables of a tree that has no problem: hints, which keep nothing from being loaded."""
    return cases.analysed(root)

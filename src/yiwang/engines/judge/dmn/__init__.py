"""Decision models after DMN 1.5: read, evaluate, explain, write. Pure: no Django, no database. See README.md."""

from yiwang.engines.judge.dmn.check import problems
from yiwang.engines.judge.dmn.contracts import NotDmn, Problem, UnknownName
from yiwang.engines.judge.dmn.loading import load, loads
from yiwang.engines.judge.dmn.model import Model, Outcome
from yiwang.engines.judge.dmn.writer import dump

__all__ = ["Model", "NotDmn", "Outcome", "Problem", "UnknownName", "dump", "load", "loads", "problems"]

"""Built-in functions (DMN 1.5 §10.3.4). Importing a module here registers its functions."""

from yiwang.kernel.feel.builtins import lists, moments, numbers, ranges, strings
from yiwang.kernel.feel.builtins.registry import REGISTRY, Unfit, call

NAMES = frozenset(REGISTRY)

__all__ = ["NAMES", "REGISTRY", "Unfit", "call", "lists", "moments", "numbers", "ranges", "strings"]

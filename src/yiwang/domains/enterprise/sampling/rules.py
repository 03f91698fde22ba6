"""How many, who, and when: the arithmetic of a sampling plan. Pure.

The recipe, which ``enterprise_sampling_draw`` in ``../policies_sampling.sql`` follows in SQL and anyone can by hand:

1. Of each class, ``wanted`` says how many of those in scope are drawn.
2. Each code gets the SHA-256 of ``SEED:CODE`` (UTF-8, written as hexadecimal); the smallest come first. Codes with
   the same number would follow one another by code.
3. The period is cut into as many parts as there are visits, of equal length up to one day. The day of visit ``n``
   (from 1) is the part's first day plus the first eight hexadecimal digits of the SHA-256 of ``SEED:CODE:n`` as a
   number, modulo the part's length; then the next working day, or the last one of the period if none follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from hashlib import sha256

ROUNDINGS = {"up": ROUND_CEILING, "nearest": ROUND_HALF_UP, "down": ROUND_FLOOR}


@dataclass(frozen=True, slots=True)
class Drawn:
    """One enterprise by lot: its place among those of its class (from 1) and the days of its visits."""

    uscc: str
    place: int
    days: tuple[date, ...]


def exact(subjects: int, percent: Decimal) -> Decimal:
    """``percent`` of the subjects, not yet rounded."""
    return subjects * percent / 100


def wanted(subjects: int, percent: Decimal, rounding: str) -> int:
    """How many are drawn, in whole enterprises; never more than there are.

    Args:
        rounding: up, nearest (halves up) or down.
    """
    return min(subjects, int(exact(subjects, percent).to_integral_value(ROUNDINGS[rounding])))


def visits(times: int, within_days: int, first: date, last: date) -> int:
    """How often each drawn enterprise is visited from ``first`` to ``last``, both included.

    ``times`` are for ``within_days`` days; of another period in proportion, rounded to the nearest, at least once.
    """
    if not times:
        return 0
    length = (last - first).days + 1
    share = Decimal(times * length) / within_days
    return min(length, max(1, int(share.to_integral_value(ROUND_HALF_UP))))


def lot(seed: str, uscc: str) -> str:
    """The number that orders the lot: 64 hexadecimal digits."""
    return sha256(f"{seed}:{uscc}".encode()).hexdigest()


def digest(codes: Iterable[str]) -> str:
    """What is published of those in scope before the draw: SHA-256 of their codes, in order, one a line."""
    return sha256("\n".join(sorted(codes)).encode()).hexdigest()


def short(number: Decimal) -> str:
    """A number without zeros at the end, never as a power of ten."""
    return f"{number.normalize():f}"


def sealed(seed: str, text: str) -> str:
    """What binds to a text before it may be read: SHA-256 of the seed, a line feed and the text.

    The seed, which is told with the text, keeps short texts from being guessed.
    """
    return sha256(f"{seed}\n{text}".encode()).hexdigest()


def working_days(first: date, last: date, is_working: Callable[[date], bool]) -> list[date]:
    """For each day of the period, the next working day in it, or the last one before when none follows.

    A period without any working day is taken as it lies.
    """
    period = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    there = [day for day in period if is_working(day)] or period
    return [next((w for w in there if w >= day), there[-1]) for day in period]


def days_of(seed: str, uscc: str, count: int, days: Sequence[date]) -> tuple[date, ...]:
    """The days of ``count`` visits; ``days`` as ``working_days`` gives them."""
    told = []
    for n in range(count):
        low, high = len(days) * n // count, len(days) * (n + 1) // count
        at = int(sha256(f"{seed}:{uscc}:{n + 1}".encode()).hexdigest()[:8], 16)
        told.append(days[low + at % (high - low)])
    return tuple(told)


def draw(seed: str, codes: Iterable[str], count: int, times: int, days: Sequence[date]) -> list[Drawn]:
    """The ``count`` first of one class by lot, with the days of their visits."""
    order = sorted(codes, key=lambda code: (lot(seed, code), code))[:count]
    return [Drawn(code, n, days_of(seed, code, times, days)) for n, code in enumerate(order, 1)]

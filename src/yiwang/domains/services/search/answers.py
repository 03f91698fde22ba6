"""问: a question about a service is answered from its guide, never made up. Pure.

The words that tell what a question is about are in packs (``asks``); the answer is a fact of the service's
own pack, or its author's reply to the frequent question that is nearest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from . import words as w

NEAR = 0.6  # the share of a frequent question's pairs of characters that a question must have


@dataclass(frozen=True, slots=True)
class Facts:
    """What a guide says of one service, ready to be read out."""

    materials: str
    time: str
    fee: str
    conditions: str
    place: str
    faq: tuple[tuple[str, str], ...] = ()  # question, reply


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply and what it replies to."""

    about: str  # materials, time, fee, conditions, place, faq
    text: str
    question: str = ""  # of the frequent question


def answers(question: str, facts: Facts, asks: Mapping[str, Sequence[str]]) -> list[Answer]:
    """What a guide replies to a question; empty when nothing in it is asked.

    Args:
        asks: what is asked about → the words that show it.
    """
    asked = w.normalise(question)
    found = [Answer("faq", reply, q) for q, reply in facts.faq if _near(asked, w.normalise(q))]
    for about, signs in asks.items():
        text = getattr(facts, about)
        if text and any(w.normalise(sign) in asked for sign in signs):
            found.append(Answer(about, text))
    return found


def _near(asked: str, frequent: str) -> bool:
    pairs = set(_pairs(frequent))
    return bool(pairs) and len(pairs & set(_pairs(asked))) / len(pairs) >= NEAR


def _pairs(text: str) -> Iterable[str]:
    return (text[i : i + 2] for i in range(len(text) - 1))

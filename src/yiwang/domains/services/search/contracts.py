"""The nouns of search."""

from dataclasses import dataclass, field
from enum import IntEnum


class Kind(IntEnum):
    """What an entry is; of two that fit as well, the lower comes first."""

    BUNDLE = 0
    ITEM = 1
    GUIDE = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that can be found. ``ref`` is a pack's id, or the code of a catalogue row."""

    kind: Kind
    ref: str
    title: str
    about: str = ""
    words: tuple[str, ...] = ()
    department: str = ""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words that mean the same, group by group, and words that mean nothing in a question.

    groups: what a question is about. deeds: what is to be done with it.
    """

    groups: tuple[tuple[str, ...], ...] = ()
    deeds: tuple[tuple[str, ...], ...] = ()
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry that answers a question; ``score`` orders, higher first."""

    entry: Entry
    score: float

    @property
    def is_bundle(self) -> bool:
        return self.entry.kind is Kind.BUNDLE

    @property
    def is_guide(self) -> bool:
        return self.entry.kind is Kind.GUIDE


@dataclass(frozen=True, slots=True)
class Found:
    """What a question found.

    understood: the words it was read as, where they are not simply those typed (pinyin, a slip).
    near: words to try when there is no hit.
    """

    hits: list[Hit] = field(default_factory=list)
    understood: tuple[str, ...] = ()
    near: tuple[str, ...] = ()

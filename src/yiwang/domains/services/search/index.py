"""The index: which entries answer a question, best first. Pure, deterministic."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

from . import words as w
from .contracts import Entry, Found, Hit, Kind, Vocabulary
from .question import DEED, THING, Part, Reader

ENOUGH = 0.34  # the share of a question that a hit must answer
UNKNOWN = 0.8  # what a token that no entry has weighs: names and chatter must not hide a good hit
_PLACES = ((0.6, "about"), (1.0, "name"))
_BONUS = {Kind.BUNDLE: 0.12, Kind.ITEM: 0.06, Kind.GUIDE: 0.0}
_DEED = 0.6  # what is to be done says less than what it is about: 补办 fits many things, 护照 one
_PAIR = 0.5  # and a pair of characters less than a known word


class Index:
    """Built once from all entries; answers any number of questions."""

    def __init__(self, entries: Iterable[Entry], vocabulary: Vocabulary) -> None:
        self.entries = sorted(entries, key=lambda e: (e.kind, e.ref))
        phrases = [p for e in self.entries for p in (e.title, *e.words)]
        self._reader = Reader(vocabulary, phrases)
        self._where: dict[str, dict[int, float]] = defaultdict(dict)
        self._named: list[dict[str, float]] = []
        for n, entry in enumerate(self.entries):
            places = {"about": (entry.about, entry.department), "name": (entry.title, *entry.words)}
            for weight, place in _PLACES:
                for text in places[place]:
                    for token, sure in self._reader.all_tokens(text).items():
                        where = self._where[token]
                        where[n] = max(where.get(n, 0.0), weight * sure)
        self._rare = {t: math.log(1 + len(self.entries) / len(where)) for t, where in self._where.items()}
        for entry in self.entries:
            self._named.append({t: self._weight(t) for t in self._reader.tokens(entry.title)})

    def _weight(self, token: str) -> float:
        rare = self._rare.get(token, UNKNOWN)
        return rare if token.startswith(THING) else rare * (_DEED if token.startswith(DEED) else _PAIR)

    def find(self, question: str, limit: int = 20) -> Found:
        """The entries that answer a question.

        Args:
            question: whatever somebody typed; any string is answered.
            limit: how many hits at most.
        """
        parts = self._reader.read(question)
        asked: dict[str, float] = {}
        for part in parts:
            for token in part.tokens:
                asked[token] = max(asked.get(token, 0.0), part.sure)
        total = self._total(parts)
        exact = w.normalise(question)
        scores: dict[int, float] = defaultdict(float)
        for token, sure in asked.items():
            for n, place in self._where.get(token, {}).items():
                scores[n] += self._weight(token) * place * sure
        hits = []
        for n, score in scores.items():
            answered = min(score / total, 1.0)
            if answered >= ENOUGH:
                hits.append(Hit(self.entries[n], round(answered + self._fit(n, asked, exact), 6)))
        hits.sort(key=lambda h: (-h.score, h.entry.kind, len(h.entry.title), h.entry.ref))
        meant = tuple(dict.fromkeys(p.meant for p in parts if p.meant))
        return Found(
            hits=hits[:limit],
            understood=meant if hits else (),
            near=() if hits else self._reader.near(question),
        )

    def _total(self, parts: list[Part]) -> float:
        """What a full answer would weigh; readings of one stretch are alternatives, not demands."""
        best: dict[str, tuple[float, tuple[str, ...]]] = {}
        for part in parts:
            if part.sure < 1 and part.meant and not w.is_letters(part.text):
                continue  # the stretch was counted as it was written
            reading = (sum(map(self._weight, part.tokens)), part.tokens)
            best[part.text] = min(best.get(part.text, reading), reading)
        once = {token for _weight, tokens in best.values() for token in tokens}
        return sum(map(self._weight, once)) or 1.0

    def _fit(self, n: int, asked: dict[str, float], exact: str) -> float:
        """How much of the entry's name was asked for, and small things that decide between equals."""
        entry, named = self.entries[n], self._named[n]
        whole = sum(named.values()) or 1.0
        fit = 0.5 * sum(weight * asked.get(token, 0.0) for token, weight in named.items()) / whole
        if exact in (w.normalise(p) for p in (entry.title, *entry.words)):
            fit += 0.5
        return fit + _BONUS[entry.kind]

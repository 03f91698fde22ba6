"""Reading a question: known words first, then pinyin, then slips, then pairs of characters. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from . import words as w
from .contracts import Vocabulary

THING, DEED = "=", "~"  # how the token of a group of synonyms begins
INSIDE = 0.8  # what a word counts that is only a part of a longer known word: 缴费 in 缴费证明
SLIP = 0.7  # what a word that was meant but mistyped counts
ENOUGH = 0.75  # the share of the letters that full syllables must explain, else initials are tried
_LONGEST = 12  # longer phrases are found by their parts


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a question: the tokens it stands for, and how sure that is."""

    text: str
    tokens: tuple[str, ...]
    sure: float = 1.0
    meant: str = ""  # the word it was read as, when it was written otherwise


class Reader:
    """Cuts texts into tokens: ``=n`` for a group of synonyms, ``~n`` for a group of deeds, or a pair of characters."""

    def __init__(self, vocabulary: Vocabulary, phrases: Iterable[str]) -> None:
        self._concept: dict[str, str] = {}
        for mark, groups in ((THING, vocabulary.groups), (DEED, vocabulary.deeds)):
            for n, group in enumerate(groups):
                for word in group:
                    self._concept.setdefault(w.normalise(word), f"{mark}{n}")
        self._ignored = {w.normalise(word) for word in vocabulary.ignore} - self._concept.keys()
        self._longest = max(map(len, (*self._concept, *self._ignored)), default=1)
        lexicon = {w.normalise(p) for p in phrases} | self._concept.keys()
        self.lexicon = sorted(p for p in lexicon if len(p) >= 2)
        self._known = set(self.lexicon)
        self._sounds: dict[str, list[str]] = defaultdict(list)
        self._initials: dict[str, list[str]] = defaultdict(list)
        self._slips: dict[str, list[str]] = defaultdict(list)
        self._heard_slips: dict[str, list[str]] = defaultdict(list)
        for phrase in self.lexicon:
            self._learn(phrase)
        for word in sorted(self._ignored):
            if len(word) >= 2:
                self._sounds["".join(w.pinyin(word))].append("")
        self._heard = sorted(self._sounds)
        self._longest_sound = max(map(len, self._heard), default=0)

    def _learn(self, phrase: str) -> None:
        syllables = w.pinyin(phrase)
        if len(phrase) > _LONGEST or len(syllables) != len(phrase):
            return
        sound = "".join(syllables)
        self._sounds[sound].append(phrase)
        self._initials["".join(s[0] for s in syllables)].append(phrase)
        if len(sound) >= 6:
            for less in w.deletions(sound):
                self._heard_slips[less].append(sound)
        if len(phrase) >= 4:
            for less in w.deletions(phrase):
                self._slips[less].append(phrase)

    def tokens(self, text: str) -> list[str]:
        """What a question of exactly these words would be read as."""
        return [t for run in w.runs(w.normalise(text)) for part in self._cut(run) for t in part.tokens]

    def all_tokens(self, text: str) -> dict[str, float]:
        """Everything in a text that a question could meet; a word inside a longer word counts a little less."""
        found: dict[str, float] = {}
        for run in w.runs(w.normalise(text)):
            found.update(dict.fromkeys((*w.pairs(run), *run, run), 1.0))
            for i in range(len(run)):
                for j in range(i + 1, min(len(run), i + self._longest) + 1):
                    if run[i:j] in self._concept:
                        found.setdefault(self._concept[run[i:j]], INSIDE)
            found.update(dict.fromkeys((t for part in self._cut(run) for t in part.tokens), 1.0))
        return found

    def read(self, text: str) -> list[Part]:
        """The parts of a question, in order."""
        parts: list[Part] = []
        cleaned = w.normalise(text)
        for run in w.runs(cleaned):
            if w.is_letters(run):
                parts.extend(self._spelt(run))
            else:
                parts.extend(self._cut(run))
                parts.extend(self._slipped(run))
        return parts

    def _cut(self, run: str) -> Iterator[Part]:
        """The longest known word at each place; the rest in pairs."""
        rest, i = "", 0
        while i < len(run):
            for j in range(min(len(run), i + self._longest), i, -1):
                word = run[i:j]
                if word in self._concept or word in self._ignored:
                    if rest:
                        yield Part(rest, tuple(w.pairs(rest)))
                        rest = ""
                    if word in self._concept:
                        yield Part(word, (self._concept[word],))
                    i = j
                    break
            else:
                rest += run[i]
                i += 1
        if rest:
            yield Part(rest, tuple(w.pairs(rest)))

    def _meaning(self, phrase: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(t for part in self._cut(phrase) for t in part.tokens))

    def _slipped(self, run: str) -> Iterator[Part]:
        """Known phrases of four characters or more that are one character, or only the sound, away."""
        told: set[str] = set()
        for size in range(min(len(run), _LONGEST + 1), 2, -1):
            for i in range(len(run) - size + 1):
                window = run[i : i + size]
                if window in self._known:
                    continue
                near = self._sounds.get("".join(w.pinyin(window)), []) if size >= 3 else []
                meant = [p for p in near if p and len(p) == size]
                if size >= 4:
                    keys = (window, *w.deletions(window))
                    meant += [p for k in keys for p in self._slips.get(k, ()) if w.one_slip(window, p)]
                    meant += [p for p in w.deletions(window) if len(p) >= 4 and p in self._known]
                for phrase in dict.fromkeys(meant):
                    if phrase not in told and phrase not in run:
                        told.add(phrase)
                        yield Part(window, self._meaning(phrase), SLIP, phrase)
            if told:
                return

    def _spelt(self, run: str) -> list[Part]:
        """Letters as pinyin: full syllables, else initials, else the beginning or a slip of a known word."""
        parts, explained, i = [], 0, 0
        while i < len(run):
            for j in range(min(len(run), i + self._longest_sound), i + 1, -1):
                phrases = self._sounds.get(run[i:j])
                if phrases:
                    parts += [Part(run[i:j], self._meaning(p), 1.0, p) for p in phrases if p]
                    explained += j - i
                    i = j
                    break
            else:
                i += 1
        if explained >= ENOUGH * len(run):
            return parts
        whole = [(p, 1.0) for p in self._initials.get(run, ())]
        whole = whole or [(p, 0.9) for p in self._beginning(run)]
        whole = whole or [(p, SLIP) for p in self._misspelt(run)]
        return [Part(run, self._meaning(p), sure, p) for p, sure in whole] or parts

    def _beginning(self, run: str) -> list[str]:
        if len(run) < 4:
            return []
        start = bisect_left(self._heard, run)
        heard = [s for s in self._heard[start : start + 20] if s.startswith(run)]
        shortest = sorted(heard, key=lambda s: (len(s), s))[:3]
        return [p for s in shortest for p in self._sounds[s] if p]

    def _misspelt(self, run: str) -> list[str]:
        if len(run) < 5:
            return []
        near = {s for k in (run, *w.deletions(run)) for s in self._heard_slips.get(k, ())}
        near |= {k for k in w.deletions(run) if k in self._sounds}
        return [p for s in sorted(near) if w.one_slip(run, s) for p in self._sounds[s] if p]

    def near(self, text: str, limit: int = 6) -> tuple[str, ...]:
        """Known words that share characters, or the beginning of the sound, with a question."""
        cleaned = w.normalise(text)
        asked = set(cleaned)
        scored = []
        for phrase in self.lexicon:
            shared = len(asked & set(phrase))
            if shared and len(phrase) <= 8:
                scored.append((-shared / (len(phrase) + len(asked)), len(phrase), phrase))
        return tuple(p for _s, _n, p in sorted(scored)[:limit])

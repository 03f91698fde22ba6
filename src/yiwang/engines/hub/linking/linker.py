"""From records to links: candidates, comparison, one decision for each record.

accept: so likely, and so much likelier than the next, that it counts. review: a person looks at both side by
side. leave: nothing is forced. A link by the name alone (no number, no place agrees) is never accepted.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import duckdb
import numpy as np

from .features import compare, prepare
from .keys import propose
from .model import Model, choose, train
from .names import Vocabulary

PRECISION = 0.9992
"""Asked of links on labelled records before the model is let loose on others; it does a little worse there."""

REVIEW = 0.5
MARGIN = 0.25


@dataclass(frozen=True)
class Links:
    """For each record: its likeliest enterprise, how likely, and what to do. Arrays of equal length."""

    key: np.ndarray
    id: np.ndarray
    score: np.ndarray
    margin: np.ndarray
    accepted: np.ndarray


class Linker:
    """Holds a prepared register. ``seconds`` tells how long each stage took."""

    def __init__(self, db: duckdb.DuckDBPyConnection, words: Vocabulary) -> None:
        self.db, self.words, self.seconds = db, words, {}
        self.model: Model | None = None

    def index(self, source: str) -> None:
        """Prepare the register: ``source(id, name, region, address, phone, licence)``."""
        with self._timed("index"):
            prepare(self.db, source, "register", self.words, learn=True)

    def learn(self, source: str, precision: float = PRECISION) -> None:
        """Train on ``source(key, …, truth)``; ``truth`` is the id that the record's code names, null for none."""
        with self._timed("learn"):
            table = self._compare(source)
            truth = dict(
                self.db.execute(f"select key, truth from {source} where truth is not null").fetchall()
            )
            own = np.array([truth.get(k, -1) for k in table["key"].tolist()])
            right = own == table["id"]
            held = table["key"] % 3 == 0  # a third decides the threshold, by records the trees have not seen
            booster = train({n: v[~held] for n, v in table.items()}, right[~held])
            part = {n: v[held] for n, v in table.items()}
            best = _best(part["key"], part["id"], booster_scores(booster, part))
            lead = best.margin >= MARGIN
            is_right = np.array(
                [truth.get(k, -1) == i for k, i in zip(best.key.tolist(), best.id.tolist(), strict=True)]
            )
            accept = choose(best.score[lead], is_right[lead], precision)
            self.model = Model(booster, accept, min(REVIEW, accept))

    def link(self, source: str) -> Links:
        """Decide on ``source(key, name, region, address, phone, licence)``."""
        if self.model is None:
            raise RuntimeError("learn first")
        table = self._compare(source)
        with self._timed("score"):
            best = _best(table["key"], table["id"], self.model.scores(table))
            return Links(
                best.key, best.id, best.score, best.margin,
                (best.score >= self.model.accept) & (best.margin >= MARGIN),
            )  # fmt: skip

    def _compare(self, source: str) -> dict[str, np.ndarray]:
        with self._timed("prepare"):
            prepare(self.db, source, "records", self.words, learn=False, key="key")
        with self._timed("propose"):
            propose(self.db, "records", "register", "pairs")
        with self._timed("compare"):
            compare(self.db, "records", "register", "pairs", "compared")
            return self.db.execute("select * from compared order by key").fetchnumpy()

    def _timed(self, name: str) -> _Timed:
        return _Timed(self.seconds, name)


def booster_scores(booster, table: dict[str, np.ndarray]) -> np.ndarray:
    """Scores of a model whose thresholds are not chosen yet."""
    return Model(booster, 1.0, 1.0).scores(table)


def _best(key: np.ndarray, candidate: np.ndarray, score: np.ndarray) -> Links:
    """The likeliest candidate of each record, and how far ahead of the next it is."""
    if not len(key):  # no record shares a key with any enterprise
        none = np.zeros(0)
        return Links(key, candidate, none, none, np.zeros(0, bool))
    order = np.lexsort((-score, key))
    key, candidate, score = key[order], candidate[order], score[order]
    first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    following = first + 1
    has_next = (following < len(key)) & (key[np.minimum(following, len(key) - 1)] == key[first])
    second = np.where(has_next, score[np.minimum(following, len(key) - 1)], 0.0)
    return Links(
        key[first], candidate[first], score[first], score[first] - second, np.zeros(len(first), bool)
    )


class _Timed:
    def __init__(self, into: dict[str, float], name: str) -> None:
        self.into, self.name = into, name

    def __enter__(self) -> None:
        self.began = perf_counter()

    def __exit__(self, *_: object) -> None:
        self.into[self.name] = round(self.into.get(self.name, 0.0) + perf_counter() - self.began, 2)

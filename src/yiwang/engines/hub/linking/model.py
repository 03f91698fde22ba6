"""How likely a pair is: a model trained on records that carry a code, with the code hidden from it."""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm as lgb
import numpy as np

from .features import FEATURES

PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.15,
    "num_leaves": 63,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.9,
    "verbosity": -1,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 7,
}
TREES = 120


@dataclass(frozen=True)
class Model:
    """A trained model and the scores from which a link is made, or looked at by a person."""

    booster: lgb.Booster
    accept: float
    review: float

    def scores(self, table: dict[str, np.ndarray]) -> np.ndarray:
        """The likelihood of each pair of a features table."""
        return self.booster.predict(_matrix(table))


def _matrix(table: dict[str, np.ndarray]) -> np.ndarray:
    columns = [np.ma.filled(table[name].astype(np.float32), np.nan) for name in FEATURES]
    return np.column_stack(columns)


def train(table: dict[str, np.ndarray], right: np.ndarray, threads: int = 2) -> lgb.Booster:
    """Fit on pairs whose answer is known.

    Args:
        table: features. right: whether the pair is the record's own enterprise.
    """
    data = lgb.Dataset(_matrix(table), right.astype(np.float32), feature_name=list(FEATURES))
    return lgb.train(PARAMETERS | {"num_threads": threads}, data, num_boost_round=TREES)


def choose(score: np.ndarray, right: np.ndarray, precision: float) -> float:
    """The lowest score from which links are right as often as asked.

    Args:
        score: of the best candidate of each labelled record. right: whether it is the record's enterprise.
        precision: the share that must be right among those accepted.
    """
    order = np.argsort(-score)
    good = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(good >= precision)
    return float(score[order[enough[-1]]]) if len(enough) else 1.0

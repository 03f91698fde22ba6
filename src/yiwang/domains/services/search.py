"""Find a service in plain words."""

from dataclasses import dataclass

from yiwang.kernel.packs import api as packs
from yiwang.kernel.packs.contracts import Pack


@dataclass(frozen=True)
class Hit:
    """A bundle or item that matches; ``score`` orders, higher first."""

    pack: Pack
    score: float

    @property
    def is_bundle(self) -> bool:
        return self.pack.kind == "bundle"


def search(words: str, limit: int = 20) -> list[Hit]:
    """Bundles and items for what somebody typed; everything, bundles first, for nothing typed.

    A listed search word that is contained in the question (or the other way round) counts most, then the
    name, then the summary, then shared pairs of characters: Chinese has no spaces to split at.
    """
    asked = "".join(words.split()).lower()
    hits = []
    for pack in (*packs.current().all("bundle"), *packs.current().all("service_item")):
        score = _score(asked, pack) if asked else 0.1
        if score > 0:
            hits.append(Hit(pack, score + (0.5 if pack.kind == "bundle" else 0)))
    return sorted(hits, key=lambda h: (-h.score, h.pack.id))[:limit]


def _score(asked: str, pack: Pack) -> float:
    score = 0.0
    for word in pack.data.get("search", ()):
        if word == asked:
            score = max(score, 10)
        elif word in asked or asked in word:
            score = max(score, 6 + min(len(word), len(asked)) / 10)
    if asked in pack.name or pack.name in asked:
        score = max(score, 8)
    text = pack.name + pack.data.get("summary", "") + "".join(pack.data.get("search", ()))
    pairs = {asked[i : i + 2] for i in range(len(asked) - 1)} or {asked}
    shared = sum(1 for pair in pairs if pair in text)
    return max(score, 4 * shared / len(pairs) if shared else 0)

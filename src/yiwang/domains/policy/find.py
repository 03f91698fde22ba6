"""Finding policies in plain words: 「我是小微企业，想招人」. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_CUT = re.compile(r"[\s，。、,.;；！!？?]+")


def understood(query: str, filters: Sequence[Mapping[str, Any]]) -> list[str]:
    """Ids of the filters whose words occur in what somebody typed."""
    return [f["id"] for f in filters if any(word in query for word in f["words"])]


def search(
    policies: Iterable[Mapping[str, Any]],
    query: str,
    chosen: Sequence[str],
    filters: Sequence[Mapping[str, Any]],
) -> list[Mapping[str, Any]]:
    """Policies that have every chosen filter; for a query, the best first, those it says nothing of left out.

    A word of the query counts where it stands in the policy's text; a filter that the query's words stand for counts
    where the policy has its tags.
    """
    tags = {f["id"]: set(f["tags"]) for f in filters}
    kept = [p for p in policies if all(tags.get(id_, set()) & set(p["tags"]) for id_ in chosen)]
    words = [w for w in _CUT.split(query.strip()) if w]
    if not words:
        return kept
    meant = understood(query, filters)
    ranked = []
    for place, policy in enumerate(kept):
        text = _text(policy)
        hits = sum(3 * (word in policy["name"]) + (word in text) for word in words)
        hits += sum(2 * bool(tags[id_] & set(policy["tags"])) for id_ in meant)
        if hits:
            ranked.append((-hits, place, policy))
    return [policy for _hits, _place, policy in sorted(ranked, key=lambda r: r[:2])]


def _text(policy: Mapping[str, Any]) -> str:
    cells = [*policy["conditions"], *(c for r in policy.get("rules", ()) for c in r["conditions"])]
    parts = [
        policy["name"],
        policy["summary"],
        policy["topic"],
        policy["level"],
        policy["mode"],
        policy["issuer"]["function"],
    ]
    parts += [policy["document"]["title"], policy["document"]["number"], policy["benefit"]["text"]]
    return "\n".join([*parts, *policy["tags"], *(c["text"] for c in cells)])

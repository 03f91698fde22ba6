"""Published items as rows of the national 实施清单, from the packs alone, and whether each row passes."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping
from typing import Any

from yiwang.kernel.packs.contracts import Library, Pack

from .contracts import Finding, Grade, Need, Standard, standard_of
from .rules import unsound


def rows_of(library: Library, standard: Standard) -> list[dict[str, str]]:
    """Every service item, element by element; what a pack does not say is left out."""
    known = {e.key for e in standard.elements}
    return [
        {k: v for k, v in _elements(library, pack).items() if v and k in known}
        for pack in library.all("service_item")
    ]


def failures_of(rows: list[dict[str, str]], standard: Standard) -> list[Finding]:
    """What does not pass. An item is implemented by many offices: its implementing code is theirs, not the pack's."""
    found = []
    for n, row in enumerate(rows, 2):
        for element in (*standard.needed(Need.ROW), *standard.needed(Need.PUBLISH)):
            if element.key not in row and element.key != "code":
                what = f"是空的（{row['name']}）"
                found.append(Finding(n, element.name, "", what, element.remedy, Grade.MISSING))
        for key, what, remedy in unsound(row):
            found.append(Finding(n, standard.get(key).name, row[key], what, remedy, Grade.MISSING))
        if row["type"] not in standard.types.values():
            remedy = "、".join(standard.types.values())
            found.append(Finding(n, "事项类型", row["type"], "不是规定的类型", remedy, Grade.MISSING))
    return found


def _elements(library: Library, pack: Pack) -> dict[str, str]:
    data = pack.data
    authority, time, fee, result = data["authority"], data["time"], data["fee"], data["result"]
    remedies = data.get("remedies", [])
    return {
        "name": pack.name,
        "base_code": data.get("codes", {}).get("base", ""),
        "type": data["type"],
        "department": authority["function"],
        "delegated": "；".join(authority.get("delegated_to", ())),
        "level": authority["level"],
        "basis": "；".join(f"《{b['law']}》{b.get('article', '')}" for b in data["basis"]),
        "audience": "、".join(data["audience"]),
        "form": data["form_of_case"],
        "conditions": "；".join(c["text"] for c in data.get("conditions", ())) or "无",
        "materials": "；".join(_materials(library, data)) or "无",
        "steps": _steps(data["form_of_case"]),
        "legal_limit": _limit(time["legal"]),
        "promised_limit": _limit(time["promised"]),
        "limit_note": time["legal"].get("basis") or time["legal"].get("source", ""),
        "special": "；".join(s["name"] for s in data.get("special", ())),
        "visits": str(data["visits"]["online"]),
        "visit_reason": data["visits"].get("reason_if_more", ""),
        "way": "网上、窗口",
        "fee": f"{fee.get('standard', '收费')}（{fee.get('basis', '')}）" if fee["charged"] else "不收费",
        "result": result["name"],
        "result_type": result["type"],
        "consult": "12345",
        "complain": "；".join(r for r in remedies if "投诉" in r) or "12345",
        "remedies": "；".join(r for r in remedies if "投诉" not in r),
        "faq": "；".join(f"{f['q']}？{f['a']}" for f in data.get("faq", ())),
        "state": "在用",
        "starts": data["effective"]["from"],
        "ends": data["effective"].get("to", ""),
        "note": data.get("source", ""),
    }


def _materials(library: Library, data: Mapping[str, Any]) -> list[str]:
    names = {
        key: material["name"]
        for pack in library.all("materials")
        for key, material in pack.data["materials"].items()
    }
    refs = [m if isinstance(m, str) else m["ref"] for m in data.get("materials", ())]
    return list(dict.fromkeys(names[ref.partition("@")[0]] for ref in refs))


def _limit(limit: Mapping[str, Any]) -> str:
    return f"{limit['value']}个{limit['unit']}" if limit["value"] else "当场"


def _steps(form: str) -> str:
    return "申请—受理—决定—送达" if form == "即办件" else "申请—受理—审查—决定—送达"


def run_export(library: Library, form: str) -> int:
    """Print every published item with the national elements; 1 when one does not pass the rules."""
    standard = standard_of(library)
    rows = rows_of(library, standard)
    failures = failures_of(rows, standard)
    if form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow([e.name for e in standard.elements])
        writer.writerows([[row.get(e.key, "") for e in standard.elements] for row in rows])
    elif form == "json":
        items = [{e.name: row[e.key] for e in standard.elements if e.key in row} for row in rows]
        print(json.dumps({"items": items, "failures": [str(f) for f in failures]}, ensure_ascii=False))
    for failure in failures:
        print(failure, file=sys.stderr)
    passed = len(rows) - len({f.row for f in failures})
    print(f"{len(rows)} 个事项，{passed} 个通过要素校验", file=sys.stderr)
    return 1 if failures else 0

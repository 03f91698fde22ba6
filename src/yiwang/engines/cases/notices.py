"""The words of notices and messages: templates of the pack, filled from the case."""

from typing import Any

from django.utils import timezone

from yiwang.kernel.documents.api import Content
from yiwang.kernel.packs import api as packs

from .actions.steps import visit_words
from .items import item
from .models import Case


def _entry(case: Case, what: str) -> dict[str, Any] | None:
    for pack in packs.library(case.release).all("notices"):
        found: dict[str, Any] | None = pack.data["notices"].get(what)
        if found:
            return found
    return None


def _words(case: Case, body: dict[str, Any]) -> dict[str, str]:
    spec = item(case.release, case.kind, case.ref, case.extra.get("overlay", ""))
    day = timezone.localtime(case.due_at) if case.due_at else None
    supplement = case.extra.get("supplement") or {}
    org = case.org.name if case.org else ""
    visit = visit_words(case.extra["visit"]) if "visit" in case.extra else {}
    return {
        "time": visit.get("time", ""),
        "address": visit.get("place", ""),
        "contact": visit.get("who", ""),
        "item_name": case.name,
        "case_no": case.number,
        "applicant": case.subject_name,
        "organisation": org,
        "due_date": f"{day.year}年{day.month}月{day.day}日" if day else "当日",
        "legal_days": f"{spec.legal.value} 个{spec.legal.unit}" if spec.legal else "当日",
        "reasons": body.get("reason") or body.get("note") or supplement.get("note") or "见告知内容",
        "materials": "、".join(entry["label"] for entry in supplement.get("items", [])),
        "ground": body.get("ground", ""),
        "result_name": spec.data.get("result", {}).get("name", case.name),
        "review_organ": "本机关的同级人民政府",
        "court": "有管辖权的人民法院",
    }


def content_of(case: Case, what: str, body: dict[str, Any]) -> Content | None:
    """The signed notice of what happened, or None when the pack makes none."""
    entry = _entry(case, what)
    if entry is None or "document" not in entry["channel"]:
        return None
    text = entry["body"].format_map(_words(case, body))
    return Content(
        title=entry["title"],
        number=f"{case.number}-{body['seq']}",
        to=case.subject_name,
        paragraphs=tuple(line for line in text.strip().split("\n") if line.strip()),
        footer=f"依据：{entry['basis']}",
    )


def message_of(case: Case, what: str, body: dict[str, Any]) -> tuple[str, str, list[str]] | None:
    """The message of what happened: title, text, and the ways it also goes out by; or None."""
    entry = _entry(case, what)
    if entry is None or "message" not in entry["channel"]:
        return None
    ways = [way for way in entry["channel"] if way in ("sms", "email")]
    return entry["title"], entry["message"].format_map(_words(case, body)), ways

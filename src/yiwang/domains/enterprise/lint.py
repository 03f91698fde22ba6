"""What ``packs check`` says of the matters that enterprises need beyond their schema. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from yiwang.kernel.packs.contracts import Library, Problem

_CORRECTION = "enterprise.correction"
_NOTICE = "enterprise.notice"
_CORRECTED = ("enterprise_file", "risk_points")  # show lines that may be asked to be corrected


def lint(library: Library) -> Iterator[Problem]:
    """A matter that answers corrections where lines are shown; a most number only where the run over all reads it."""
    matters = library.all("matter")
    shown = [pack for kind in _CORRECTED for pack in library.all(kind)]
    if shown and not any(pack.data["event"] == _CORRECTION for pack in matters):
        what = f"没有由 {_CORRECTION} 开出的内部事项：更正申请没有答复的期限"
        yield shown[0].problem(("id",), what, "在 matters 里写一个，time.promised 是答复的期限", "L1")
    for pack in matters:
        if "most" in pack.data and pack.data["event"] != _NOTICE:
            what = f"{pack.data['event']} 开出的事项没有件数的上限可写"
            yield pack.problem(("most",), what, f"删去 most；只有 {_NOTICE} 开出的事项限件数")

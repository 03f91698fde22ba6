"""Numbers for everyone: what was promised beside what was done, each with its definition."""

from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yiwang.engines.cases import api as cases
from yiwang.engines.cases import forms
from yiwang.kernel.access.contracts import Actor
from yiwang.kernel.packs import api as packs

FRESH_SECONDS = 300  # how old the figures on the page may be; the page says when they were computed
KEPT = "services.numbers"  # in the cache that all web processes share, so that all show the same moment


def statistics(actor: Actor) -> cases.Statistics:
    """The figures, computed anew when older than FRESH_SECONDS."""
    figures: cases.Statistics = cache.get_or_set(KEPT, lambda: cases.measure(actor), FRESH_SECONDS)
    return figures


@dataclass(frozen=True)
class ItemLine:
    """One service item: promised and legal limit from its pack, the rest measured."""

    ref: str
    name: str
    filed: int
    closed: int
    promised: str
    legal: str
    days_p50: int | None
    days_p90: int | None
    on_time: float | None
    online: float
    supplemented: float


def items(figures: cases.Statistics) -> list[ItemLine]:
    """Every item with enough cases, the most filed first."""
    library = packs.current()
    lines = []
    for row in figures.items:
        pack = library.find("service_item", row["ref"])
        time_ = pack.data["time"] if pack else {}
        lines.append(
            ItemLine(
                ref=row["ref"],
                name=pack.name if pack else row["name"],
                filed=row["filed"],
                closed=row["closed"],
                promised=_limit(time_.get("promised")),
                legal=_limit(time_.get("legal")),
                days_p50=row["days_p50"],
                days_p90=row["days_p90"],
                on_time=row["on_time"],
                online=row["online"],
                supplemented=row["supplemented"],
            )
        )
    return lines


def _limit(limit: dict[str, Any] | None) -> str:
    if limit is None:
        return "—"
    return f"{limit['value']} {limit['unit']}" if limit["value"] else _("当场")


STEPS = (
    ("apart", gettext_lazy("分别办理")),
    ("merged", gettext_lazy("合并去重")),
    ("not_produced", gettext_lazy("前序产出")),
    ("not_derived", gettext_lazy("自动推导")),
    ("not_default", gettext_lazy("默认值")),
    ("asked", gettext_lazy("预填后要填")),
)


def waterfalls(figures: cases.Statistics) -> list[dict[str, Any]]:
    """Each bundle's burden: designed with registers up and down, and measured from real cases."""
    library = packs.current()
    found = []
    for pack in library.all("bundle"):
        burden = forms.burden(library, pack.id)
        up = burden["registers_up"]["fields"]
        found.append(
            {
                "pack": pack,
                "burden": burden,
                "steps": [(label, up[key]) for key, label in STEPS],
                "top": up["apart"],
                "measured": figures.measured.get(pack.id),
            }
        )
    return found


COLUMNS = (
    ("name", gettext_lazy("事项")),
    ("filed", gettext_lazy("收件")),
    ("closed", gettext_lazy("办结")),
    ("promised", gettext_lazy("承诺时限")),
    ("legal", gettext_lazy("法定时限")),
    ("days_p50", gettext_lazy("实际工作日（中位）")),
    ("days_p90", gettext_lazy("实际工作日（九成以内）")),
    ("on_time", gettext_lazy("按承诺办结率")),
    ("online", gettext_lazy("网上办理率")),
    ("supplemented", gettext_lazy("补正率")),
)

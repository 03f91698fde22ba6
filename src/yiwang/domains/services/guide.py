"""一次告知: everything about a service on one page, from its pack."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from yiwang.domains.services.search.answers import Facts
from yiwang.engines.cases import forms
from yiwang.kernel.orgs.queries import region_names
from yiwang.kernel.packs import api as packs
from yiwang.kernel.packs.contracts import Library, Pack
from yiwang.kernel.registers.api import down


@dataclass(frozen=True)
class Guide:
    """What the guide page shows."""

    pack: Pack
    plan: forms.FormPlan
    burden: dict[str, Any]
    items: list[dict[str, Any]]
    free: list[forms.FormMaterial]
    uploads: list[forms.FormMaterial]
    unknown: list[Any]
    local: list[tuple[str, Pack]]  # where it is faster or simpler: name of the region, overlay


def guide(ref: str, answers: dict[str, Any], library: Library | None = None) -> Guide | None:
    """The guide of a bundle or item for the answers given so far; None when there is none.

    Args:
        library: another than the one in force, for a preview.
    """
    library = library or packs.current()
    pack = library.find("bundle", ref) or library.find("service_item", ref)
    if pack is None:
        return None
    up = frozenset(p.id for p in library.all("register")) - down()
    plan = forms.plan(library, ref, {**pack.data.get("targets", {}).get("for", {}), **answers}, up)
    asked = forms.plan(library, ref, answers, up)
    return Guide(
        pack=pack,
        plan=plan,
        burden=forms.burden(library, ref),
        items=[_item(library.get("service_item", i.id), plan) for i in plan.items],
        free=[m for m in plan.materials if m.way is not forms.Way.UPLOAD],
        uploads=[m for m in plan.materials if m.way is forms.Way.UPLOAD],
        unknown=[s for s in asked.situations if s.asked],
        local=_local(library, {i.id for i in plan.items}),
    )


def _local(library: Library, items: set[str]) -> list[tuple[str, Pack]]:
    names = region_names()
    found = [pack for pack in library.all("overlay") if pack.data["for"] in items]
    return [(names.get(pack.data["region"], pack.data["region"]), pack) for pack in found]


def _item(pack: Pack, plan: forms.FormPlan) -> dict[str, Any]:
    data = pack.data
    bind = plan.item(pack.id).bind
    produced = {f.path for f in plan.fields if f.origin is forms.Origin.PRODUCED}

    def met_on_the_way(condition: Any) -> bool:
        """Whether an earlier item of the same bundle brings about what the condition asks."""
        role, _dot, element = condition.get("register", {}).get("key", "").partition(".")
        return f"{bind.get(role, role)}.{element}" in produced

    return {
        "id": pack.id,
        "name": pack.name,
        "function": data["authority"]["function"],
        "legal": _limit(data["time"]["legal"]),
        "promised": _limit(data["time"]["promised"]),
        "fee": data["fee"].get("standard", "收费") if data["fee"]["charged"] else "不收费",
        "basis": data["basis"],
        "conditions": [c for c in data.get("conditions", []) if not met_on_the_way(c)],
        "result": data["result"]["name"],
        "source": data.get("source", ""),
    }


def _limit(limit: dict[str, Any]) -> str:
    return f"{limit['value']} 个{limit['unit']}" if limit["value"] else "当场"


def facts(ref: str) -> Facts | None:
    """What the guide of a bundle or item says, in sentences; None when there is none."""
    found = guide(ref, {})
    if found is None:
        return None
    data, items = found.pack.data, found.items
    several = len(items) > 1
    uploads = "、".join(f"{m.holder_label}的{m.name}" for m in found.uploads)
    free = "、".join(dict.fromkeys(m.name for m in found.free))
    return Facts(
        materials=(_("要上传：%s。") % uploads if uploads else _("什么都不用带。"))
        + (_("由系统核验、免交：%s。") % free if free else ""),
        time=_each(
            items, several, lambda i: _("承诺 %(p)s，法定 %(l)s") % {"p": i["promised"], "l": i["legal"]}
        ),
        fee=_each(items, several, lambda i: i["fee"]),
        conditions="\n".join(dict.fromkeys(c["text"] for i in items for c in i["conditions"])),
        place=_("网上就能办，各级政务服务大厅窗口也能代办。负责的部门：%s。")
        % "、".join(dict.fromkeys(i["function"] for i in items)),
        faq=tuple((f["q"], f["a"]) for f in data.get("faq", ())),
    )


def _each(items: list[dict[str, Any]], several: bool, say: Callable[[dict[str, Any]], str]) -> str:
    """One sentence for all when they are alike, else one for each item."""
    said = {i["name"]: say(i) for i in items}
    if len(set(said.values())) == 1:
        return f"{next(iter(said.values()))}。"
    return "\n".join(f"{name}：{text}" for name, text in said.items()) if several else ""

"""What an item or bundle says of repeating groups and of rules across fields (L1 to L3)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from yiwang.engines.cases.forms.groups import many_of
from yiwang.engines.cases.forms.lint_names import Names
from yiwang.kernel.packs.contracts import Pack, Problem


def groups(names: Names, pack: Pack, roles: Mapping[str, str], ids: Collection[str]) -> Iterator[Problem]:
    """Repeating roles: bounds, who comes first, when; and what a repeating role cannot be."""
    repeating = many_of(pack.data)
    for role, many in repeating.items():
        path = ("roles", role, "many")
        if many["min"] > many["max"]:
            what = f"{role} 最少 {many['min']} 位，最多 {many['max']} 位"
            yield pack.problem(path, what, "min 写成不大于 max", "L3")
        if many["max"] > 1 and not many.get("source"):
            yield pack.problem(path, f"{role} 的位数没有来源", "source 写 官方：… 或 示例：…", "L9")
        first = many.get("first")
        if first and (first not in roles or first in repeating):
            yield names.unknown(pack, path, "角色", first, [r for r in roles if r not in repeating])
        elif first and not names.words.compatible(roles[first], roles[role]):
            both = (roles[first], roles[role])
            if names.words.ancestors(both[0])[-1:] != names.words.ancestors(both[1])[-1:]:
                yield pack.problem(path, f"first 的 {first} 与 {role} 不是同类实体", "写同类的角色", "L2")
        if "when" in many:
            yield from names.feel(pack, path, many["when"], {}, ids)
        if "opens" in many and "when" in many:
            what = f"{role} 的 when 和 opens 只能写一个"
            yield pack.problem(path, what, "由情形决定的写 when，点按钮添加的写 opens", "L2")
        if many.get("opens") in {s["id"] for s in pack.data.get("situations", ())}:
            yield pack.problem(path, f"opens 的 {many['opens']} 已是一个情形", "换一个名字", "L2")
        taken = [r for r in roles if re.fullmatch(rf"{re.escape(role)}_[0-9]+", r)]
        for other in taken:
            what = f"角色 {other} 与 {role} 展开后的名字相同"
            yield pack.problem(("roles", other), what, "换一个名字", "L2")
    for place, one in (("login", pack.data["login"]), ("subject", pack.data.get("subject"))):
        if one in repeating:
            yield pack.problem((place,), f"{one} 有多位，不能登录", "写只有一位的角色", "L2")
    if pack.kind != "service_item":
        return
    region = pack.data["authority"]["region"]
    if region.split(".", 1)[0] in repeating:
        what = f"由 {region} 决定承办机构，而它有多位"
        yield pack.problem(("authority", "region"), what, "写只有一位的角色的区划", "L2")
    for n, output in enumerate(pack.data.get("outputs", {}).get("fields", ())):
        if output["path"].split(".", 1)[0] in repeating:
            what = f"产出 {output['path']} 的角色有多位"
            yield pack.problem(("outputs", "fields", n), what, "产出写到只有一位的角色", "L2")


def rules(names: Names, pack: Pack, roles: Mapping[str, str], ids: Collection[str]) -> Iterator[Problem]:
    """Rules across fields and rows, and an item's own default values, read what there is."""
    for n, rule in enumerate(pack.data.get("rules", ())):
        path = ("rules", n)
        for key in ("test", "value"):
            if key in rule:
                yield from names.feel(pack, path, rule[key], roles, ids)
        yield from names.element(pack, path, rule["at"], roles)
    for n, entry in enumerate(pack.data.get("fields", ())):
        if isinstance(entry, Mapping) and "default" in entry:
            yield from names.feel(pack, ("fields", n), entry["default"], {}, ids)

"""Lint rules of content.zh.md §4.2 for the dictionary, service items and bundles, and the packs' own tests.

L7 (an overlay may only tighten) has nothing to check until there is an overlay kind; L3, L4, L6 and L12
come from planning the form (``lint_plans``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from yiwang.engines.cases.forms import lint_conditions
from yiwang.engines.cases.forms.demand import entity_of
from yiwang.engines.cases.forms.dictionary import SERVICE
from yiwang.engines.cases.forms.groups import many_of
from yiwang.engines.cases.forms.lint_groups import groups, rules
from yiwang.engines.cases.forms.lint_names import Names, Path
from yiwang.engines.cases.forms.lint_plans import plans
from yiwang.engines.cases.forms.selftest import failures
from yiwang.kernel.packs.contracts import Library, Pack, Problem

_NUMBERS = {c: n for n, c in enumerate("零一二三四五六七八九十")} | {"两": 2}


def lint(library: Library) -> Iterator[Problem]:
    """Every problem of forms in a library: for ``yiwang.kernel.packs.check.check(root, [lint])``."""
    names = Names(library)
    found = [
        *names.dictionary(),
        *(p for pack in library.all("service_item") for p in item(names, pack)),
        *(p for pack in library.all("bundle") for p in bundle(names, pack)),
    ]
    yield from found
    if any(
        p.rule in ("L1", "L2", "L6") for p in found
    ):  # a plan over broken references would only repeat them
        return
    for pack in (*library.all("service_item"), *library.all("bundle")):
        trouble = list(plans(library, pack))
        yield from trouble
        if not trouble and pack.kind == "service_item":
            yield from lint_conditions.errors(library, pack)
        if any(p.rule in ("L3", "L6") for p in trouble):
            continue
        for n, test in enumerate(pack.data["tests"]):
            for failure in failures(library, pack, test):
                what = f"测试「{test['name']}」不通过：{failure}"
                yield pack.problem(("tests", n), what, "改内容，或改正测试的期望")


def _roles(names: Names, pack: Pack) -> dict[str, str]:
    return {name: entity_of(role) for name, role in pack.data["roles"].items()} | {SERVICE: SERVICE}


def _situations(names: Names, pack: Pack, ids: set[str]) -> Iterator[Problem]:
    roles = _roles(names, pack)
    for n, one in enumerate(pack.data.get("situations", ())):
        path: Path = ("situations", n)
        if one.get("type") == "code" and not one.get("codes"):
            yield pack.problem(path, f"情形 {one['id']} 是代码却没有 codes", "写出可选值", "L1")
        if "when" in one:
            yield from names.feel(pack, (*path, "when"), one["when"], roles, ids)
        source = one.get("source")
        if not source:
            continue
        yield from names.register(pack, (*path, "source"), source)
        if "." in source["key"]:
            yield from names.element(pack, (*path, "source"), source["key"], roles)
        register = names.registers.get(source["register"])
        if "holds" in source and register is not None:
            yield from names.feel(
                pack, (*path, "source", "holds"), source["holds"], {}, register.data["fields"]
            )


def _conditions(names: Names, pack: Pack, ids: set[str]) -> Iterator[Problem]:
    roles = _roles(names, pack)
    for n, one in enumerate(pack.data.get("conditions", ())):
        path: Path = ("conditions", n)
        if "test" in one:
            yield from names.feel(pack, (*path, "test"), one["test"], roles, ids)
        if "register" in one:
            yield from names.register(pack, (*path, "register"), one["register"])
            yield from names.element(pack, (*path, "register", "key"), one["register"]["key"], roles)
    auto = pack.data.get("decision", {}).get("auto")
    if auto:
        yield from names.feel(pack, ("decision", "auto"), auto, roles, {*ids, "conditions", "materials"})


def _known(names: Names, pack: Pack) -> Iterator[Problem]:
    """What an item knows by itself, and from which register."""
    roles = _roles(names, pack)
    for n, one in enumerate(pack.data.get("known", ())):
        yield from names.element(pack, ("known", n), one["path"], roles)
        if "lookup" in one:
            yield from names.register(pack, ("known", n, "lookup"), one["lookup"])
            yield from names.element(pack, ("known", n, "lookup"), one["lookup"]["key"], roles)


def _periodic(names: Names, pack: Pack, ids: set[str]) -> Iterator[Problem]:
    """What is paid period by period names its account, its amount and the conditions that must go on to hold."""
    spec = pack.data.get("periodic")
    if not spec:
        return
    roles = _roles(names, pack)
    yield from names.element(pack, ("periodic", "account"), spec["account"], roles)
    yield from names.feel(pack, ("periodic", "amount"), spec["amount"]["value"], roles, ids)
    there = {c["id"]: c for c in pack.data.get("conditions", ())}
    for wanted in spec["while"]:
        if wanted not in there:
            yield names.unknown(pack, ("periodic", "while"), "受理条件", wanted, there)
        elif not {"test", "register"} & there[wanted].keys():
            what = f"条件 {wanted} 不能自动判断，不能逐月核对"
            yield pack.problem(
                ("periodic", "while"), what, "给它写 test 或 register，或从 while 里去掉", "L1"
            )


def _tolerable(pack: Pack) -> Iterator[Problem]:
    for n, one in enumerate(pack.data.get("materials", ())):
        if isinstance(one, Mapping) and one.get("tolerable", False) != ("owed_within" in one):
            yield pack.problem(
                ("materials", n),
                f"{one['ref']} 容缺和补交期限没有写全",
                "tolerable 和 owed_within 一起写，或一起去掉",
                "L9",
            )


def item(names: Names, pack: Pack) -> Iterator[Problem]:
    """What one service item can tell by itself (L1, L2, L5, L8 to L11)."""
    data, roles = pack.data, _roles(names, pack)
    ids = {s["id"] for s in data.get("situations", ())}
    ids |= {many["opens"] for many in many_of(data).values() if "opens" in many}
    for role, entity in roles.items():
        if entity not in names.words.entities():
            yield names.unknown(pack, ("roles", role), "实体", entity, names.words.entities())
            return
    for key, what in (("login", "登录角色"), ("subject", "企业角色")):
        if data.get(key, data["login"]) not in roles:
            yield pack.problem((key,), f"{what} {data[key]} 没有声明", "写进 roles", "L2")
    second = data.get("consent_of", {}).get("role")
    if second and second not in roles:
        yield names.unknown(pack, ("consent_of", "role"), "角色", second, roles)
    for needed in ("name", "idno") if second in roles else ():
        if not any((f if isinstance(f, str) else f["path"]) == f"{second}.{needed}" for f in data["fields"]):
            what = f"要 {second} 同意，却没有问 {second}.{needed}"
            yield pack.problem(("consent_of",), what, "列入 fields", "L5")
    yield from _situations(names, pack, ids)
    yield from _tolerable(pack)
    yield from _known(names, pack)
    yield from _conditions(names, pack, ids)
    yield from _periodic(names, pack, ids)
    yield from groups(names, pack, roles, ids)
    yield from rules(names, pack, roles, ids)
    yield from names.element(pack, ("authority", "region"), data["authority"]["region"], roles)
    for n, entry in enumerate(data["fields"]):
        path: Path = ("fields", n)
        spec: Mapping[str, Any] = {"path": entry} if isinstance(entry, str) else entry
        yield from names.element(pack, path, spec["path"], roles)
        for key in ("when", "required"):
            if isinstance(spec.get(key), str):
                yield from names.feel(pack, path, spec[key], roles, ids)
    for n, entry in enumerate(data.get("materials", ())):
        spec = {"ref": entry} if isinstance(entry, str) else entry
        material, _, holder = spec["ref"].partition("@")
        if material not in names.materials:
            yield names.unknown(pack, ("materials", n), "材料", material, names.materials)
        if holder not in roles:
            yield names.unknown(pack, ("materials", n), "角色", holder, roles)
        if isinstance(spec.get("required"), str):
            yield from names.feel(pack, ("materials", n), spec["required"], roles, ids)
    yield from _outputs(names, pack, roles)
    yield from _limits(pack)
    yield from _words(pack)


def _outputs(names: Names, pack: Pack, roles: Mapping[str, str]) -> Iterator[Problem]:
    outputs = pack.data.get("outputs", {})
    own = {e if isinstance(e, str) else e["path"] for e in pack.data["fields"]}
    used: set[str] = set(outputs.get("licence", {}).get("fields", ()))
    for n, target in enumerate(outputs.get("register", ())):
        path: Path = ("outputs", "register", n)
        yield from names.register(pack, path, target)
        register = names.registers.get(target["register"])
        for name, source in target["fields"].items():
            used.add(source)
            yield from names.element(pack, path, source, roles)
            if register is not None and name not in register.data["fields"]:
                yield names.unknown(pack, path, f"登记库 {register.id} 的字段", name, register.data["fields"])
    for name, source in outputs.get("enterprise", {}).items():
        yield from names.element(pack, ("outputs", "enterprise", name), source, roles)
    licence = outputs.get("licence")
    if licence:
        for source in licence["fields"]:
            yield from names.element(pack, ("outputs", "licence"), source, roles)
        if licence["holder"] not in roles:
            yield names.unknown(pack, ("outputs", "licence"), "角色", licence["holder"], roles)
        if "material" in licence and licence["material"] not in names.materials:
            yield names.unknown(pack, ("outputs", "licence"), "材料", licence["material"], names.materials)
    wanted = _bound_inputs(names, pack)
    for n, output in enumerate(outputs.get("fields", ())):
        path = ("outputs", "fields", n)
        yield from names.element(pack, path, output["path"], roles)
        if output["path"] not in used and output["path"] not in wanted:
            what = f"产出 {output['path']} 没有人用：不上证照、不写回登记库，也没有事项要"
            yield pack.problem(path, what, "用上它，或删去", "L5")
        if "allocate" not in output and output["path"] not in own:
            yield pack.problem(path, f"产出 {output['path']} 没有来源", "写 allocate，或列入 fields", "L5")
        for key in ("region", "birth", "sex"):
            if key in output.get("allocate", {}):
                yield from names.element(pack, path, output["allocate"][key], roles)


def _bound_inputs(names: Names, pack: Pack) -> set[str]:
    """Paths of this item's roles that other items of the same bundles want."""
    wanted: set[str] = set()
    for together in names.library.all("bundle"):
        binds = {e["ref"]: e["bind"] for e in together.data["items"]}
        if pack.id not in binds:
            continue
        back = {v: k for k, v in binds[pack.id].items()}
        for ref, bind in binds.items():
            other = names.library.find("service_item", ref)
            if other is None or ref == pack.id:
                continue
            for entry in other.data["fields"]:
                role, element = (entry if isinstance(entry, str) else entry["path"]).split(".")
                mine = bind.get(role, role)
                wanted.add(f"{back.get(mine, mine)}.{element}")
    return wanted


def _limits(pack: Pack) -> Iterator[Problem]:
    """L8 and L9: promised within legal; every number says where it comes from."""
    time = pack.data["time"]
    legal, promised = time["legal"], time["promised"]
    if legal["unit"] != promised["unit"]:
        what = f"承诺按{promised['unit']}、法定按{legal['unit']}，不能比较"
        yield pack.problem(("time", "promised"), what, "两个时限用同一单位", "L8")
    elif promised["value"] > legal["value"]:
        what = f"承诺 {promised['value']} {promised['unit']}长于法定 {legal['value']} {legal['unit']}"
        yield pack.problem(("time", "promised"), what, f"承诺改为不超过 {legal['value']}", "L8")
    if pack.data["form_of_case"] == "即办件" and promised["value"] > 1:
        what = f"即办件却承诺 {promised['value']} {promised['unit']}"
        yield pack.problem(("time", "promised"), what, "改为当场（0），或改成承诺件", "L8")
    limits: list[tuple[Path, Mapping[str, Any]]] = [(("time", name), limit) for name, limit in time.items()]
    limits += [(("special", n, "max"), s["max"]) for n, s in enumerate(pack.data.get("special", ()))]
    if "extension" in pack.data:
        limits.append((("extension", "max"), pack.data["extension"]["max"]))
    for path, limit in limits:
        source, basis = limit.get("source", ""), limit.get("basis", "")
        if not source and not basis:
            yield pack.problem(path, "时限没有依据", "写 source（官方：…／示例：…）或 basis", "L9")
        elif source.startswith("官方") and len(source) <= 3 and not basis:
            yield pack.problem(path, "时限标了官方却没写出自哪里", "source 写 官方：某法第几条", "L9")


def _words(pack: Pack) -> Iterator[Problem]:
    """L11: numbers in the text agree with the structure."""
    data = pack.data
    texts: list[tuple[Path, str]] = [(("summary",), data.get("summary", ""))]
    texts += [(("faq", n), f"{f['q']}{f['a']}") for n, f in enumerate(data.get("faq", ()))]
    time = data.get("time", {})
    days = {time[k]["value"] for k in ("legal", "promised", "correction") if k in time}
    told: list[tuple[str, set[int]]] = []
    if pack.kind == "service_item":
        told = [(r"[份种]材料", {len(data.get("materials", ()))}), (r"个工作日", days)]
    else:
        told = [(r"(?:个|项)事项", {len(data["items"])}), (r"个工作日", {data["targets"]["promised_days"]})]
    for path, text in texts:
        for pattern, right in told:
            for match in re.finditer(rf"([0-9]+|[零一二三四五六七八九十两])\s*{pattern}", text):
                number = _NUMBERS.get(match[1], int(match[1]) if match[1].isdigit() else -1)
                if number not in right:
                    want = "、".join(str(r) for r in sorted(right))
                    yield pack.problem(path, f"文案写“{match[0]}”，与结构不一致", f"应为 {want}", "L11")


def bundle(names: Names, pack: Pack) -> Iterator[Problem]:
    """What one bundle can tell by its own references (L1, L2, L10, L11)."""
    data, roles = pack.data, _roles(names, pack)
    ids = {s["id"] for s in data.get("situations", ())} | {e["ref"] for e in data["items"]}
    for role, entity in roles.items():
        if entity not in names.words.entities():
            yield names.unknown(pack, ("roles", role), "实体", entity, names.words.entities())
            return
    for key, what in (("login", "登录角色"), ("subject", "企业角色")):
        if data.get(key, data["login"]) not in roles:
            yield pack.problem((key,), f"{what} {data[key]} 没有声明", "写进 roles", "L2")
    yield from _situations(names, pack, ids)
    yield from _conditions(names, pack, ids)
    yield from groups(names, pack, roles, ids)
    items = {p.id: p for p in names.library.all("service_item")}
    allowed = {role: {entity} for role, entity in roles.items()}
    for n, entry in enumerate(data["items"]):
        path: Path = ("items", n)
        if entry["ref"] not in items:
            yield names.unknown(pack, path, "事项", entry["ref"], items)
            continue
        if "when" in entry:
            yield from names.feel(pack, path, entry["when"], roles, ids)
        yield from _bind(names, pack, path, entry, items[entry["ref"]], roles)
        for own, entity in _roles(names, items[entry["ref"]]).items():
            allowed.setdefault(entry["bind"].get(own, own), set()).add(entity)
    for n, entry in enumerate(data.get("after", ())):
        for key in ("item", "after"):
            if entry[key] not in {e["ref"] for e in data["items"]}:
                yield names.unknown(pack, ("after", n), "事项", entry[key], items)
    paths: list[tuple[Path, str]] = [(("known", n), k["path"]) for n, k in enumerate(data["known"])]
    paths += [(("constants", p), p) for p in data.get("constants", {})]
    paths += [(("ask_anyway", n), a["path"]) for n, a in enumerate(data.get("ask_anyway", ()))]
    paths += [
        (("pages", n), f) for n, page in enumerate(data["pages"]) for f in page["fields"] if f[-1] != "*"
    ]
    if "method" in data.get("delivery", {}):
        paths.append((("delivery", "method"), data["delivery"]["method"]))
    for path, name in paths:
        role, _, element = name.partition(".")
        if not any(element in names.words.elements(e) for e in allowed.get(role, ())):
            yield names.unknown(pack, path, "角色的数据元", name, {f"{r}.*" for r in roles})
    for n, known in enumerate(data["known"]):
        if "lookup" in known:
            yield from names.register(pack, ("known", n, "lookup"), known["lookup"])
    for n, consent in enumerate(data["consent"]):
        for register in consent["registers"]:
            if register not in names.registers:
                yield names.unknown(pack, ("consent", n), "登记库", register, names.registers)
    yield from _words(pack)


def _bind(
    names: Names, pack: Pack, path: Path, entry: Mapping[str, Any], bound: Pack, roles: Mapping[str, str]
) -> Iterator[Problem]:
    """L2: every role of the item bound to a role of the bundle of a compatible entity."""
    own = _roles(names, bound)
    for role in entry["bind"]:
        if role not in own:
            yield pack.problem(path, f"{bound.name}没有角色 {role}", f"可绑定：{'、'.join(own)}", "L2")
    for role, entity in own.items():
        target = entry["bind"].get(role, role)
        if target not in roles:
            what = f"{bound.name}的角色 {role} 没有绑定到一件事的角色"
            yield pack.problem(path, what, f"在 bind 里写 {role}: {'、'.join(roles)} 之一", "L2")
        elif not names.words.compatible(entity, roles[target]):
            what = f"{bound.name}的 {role}（{entity}）与 {target}（{roles[target]}）不是同类"
            yield pack.problem(path, what, "绑定到同类或其上下位的角色", "L2")

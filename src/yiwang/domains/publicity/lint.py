"""`packs check` of publicity packs: only public fields, only what the dataset has, terms as the points table has them."""

from collections.abc import Iterator

from yiwang.kernel import feel
from yiwang.kernel.packs.contracts import Library, Pack, Problem

PUBLIC = "公开"  # the level of fields that may be shown to everybody


def lint(library: Library) -> Iterator[Problem]:
    """Everything wrong in the publicity packs."""
    for pack in library.all("publicity"):
        said, dataset = pack.data, library.find("dataset", pack.data["dataset"])
        if dataset is None:
            yield pack.problem(
                ("dataset",), f"没有数据集「{said['dataset']}」", "写 datasets 里有的 id", "L1"
            )
            continue
        fields = dataset.data["fields"]
        for n, name in enumerate(said["fields"]):
            if name not in fields:
                yield pack.problem(("fields", n), f"数据集没有字段「{name}」", "写数据集里有的字段", "L1")
            elif fields[name]["level"] != PUBLIC:
                what = f"字段「{name}」的级别是{fields[name]['level']}，不能公示"
                yield pack.problem(("fields", n), what, "去掉它，或请数据集的部门改级别", "L1")
        for key in ("number", "name_of", "decided", "until"):
            if said.get(key, next(iter(fields))) not in fields:
                yield pack.problem((key,), f"数据集没有字段「{said[key]}」", "写数据集里有的字段", "L1")
        if dataset.data["key"] != [said["number"]]:
            key = "、".join(dataset.data["key"])
            what = f"文号字段「{said['number']}」不是数据集的主键「{key}」，异议和修复对不上"
            yield pack.problem(("number",), what, "写数据集的主键，主键只能有一个字段", "L1")
        if dataset.data["subject"]["entity"] != "ent":
            yield pack.problem(("dataset",), "这个数据集说的不是企业", "这里只公示企业的决定", "L1")
        yield from _terms(pack, set(fields))
        yield from _agree(pack, library)
        yield from _repairs(pack, library)


def _terms(pack: Pack, fields: set[str]) -> Iterator[Problem]:
    terms = pack.data["terms"]
    for n, term in enumerate(terms):
        path, last = ("terms", n), n == len(terms) - 1
        if last != ("when" not in term):
            what = (
                f"「{term['name']}」有条件，别的情形没有期限"
                if last
                else f"「{term['name']}」没有条件，它后面的用不上"
            )
            yield pack.problem(path, what, "最后一种不写 when，其余都写", "L1")
        if term.get("shortest_days", 0) > term.get("longest_days", 0):
            what = f"「{term['name']}」最短 {term['shortest_days']} 天，长于最长 {term.get('longest_days', 0)} 天"
            yield pack.problem((*path, "shortest_days"), what, "改成不长于最长的天数", "L1")
        try:
            unknown = set(feel.parse(term.get("when", "true")).paths) - fields
        except feel.FeelSyntaxError as wrong:
            yield pack.problem((*path, "when"), str(wrong), "改正表达式", "L1")
        else:
            for name in sorted(unknown):
                yield pack.problem((*path, "when"), f"数据集没有字段「{name}」", "写数据集里有的字段", "L1")


def _agree(pack: Pack, library: Library) -> Iterator[Problem]:
    """One law, one term: what counts for a class and what is public last equally long."""
    levels = {s["name"]: s for p in library.all("risk_points") for s in p.data["seriousness"]}
    for n, term in enumerate(pack.data["terms"]):
        level = levels.get(term["name"])
        if level is None or "why_not" in term:
            continue
        for mine, theirs in (("shortest_days", "min_days"), ("longest_days", "max_days")):
            if term[mine] != level[theirs]:
                what = (
                    f"「{term['name']}」公示 {mine} 是 {term[mine]} 天，积分表 {theirs} 是 {level[theirs]} 天"
                )
                yield pack.problem(("terms", n, mine), what, "同一种轻重用同一个法定期限", "L1")


def _repairs(pack: Pack, library: Library) -> Iterator[Problem]:
    rule = pack.data.get("repairs")
    if rule is None:
        return
    dataset = library.find("dataset", rule["dataset"])
    if dataset is None:
        yield pack.problem(
            ("repairs", "dataset"), f"没有数据集「{rule['dataset']}」", "写 datasets 里有的 id", "L1"
        )
        return
    for key in ("of", "number", "day"):
        if rule[key] not in dataset.data["fields"]:
            yield pack.problem(("repairs", key), f"数据集没有字段「{rule[key]}」", "写数据集里有的字段", "L1")

"""`packs check` of publicity packs: only public fields, only what the dataset has."""

from collections.abc import Iterator

from yiwang.kernel import feel
from yiwang.kernel.packs.contracts import Library, Problem

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
        if dataset.data["subject"]["entity"] != "ent":
            yield pack.problem(("dataset",), "这个数据集说的不是企业", "这里只公示企业的决定", "L1")
        try:
            unknown = set(feel.parse(said.get("unless", "true")).paths) - set(fields)
        except feel.FeelSyntaxError as wrong:
            yield pack.problem(("unless",), str(wrong), "改正表达式", "L1")
        else:
            for name in sorted(unknown):
                yield pack.problem(("unless",), f"数据集没有字段「{name}」", "写数据集里有的字段", "L1")

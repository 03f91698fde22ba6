"""Whether what a pack refers to exists: elements, roles, registers, code lists, FEEL names (L1, L6, L10)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from yiwang.engines.cases.forms import expressions
from yiwang.engines.cases.forms.dictionary import Dictionary
from yiwang.engines.cases.forms.functions import FUNCTIONS
from yiwang.kernel.feel import FeelSyntaxError
from yiwang.kernel.packs.contracts import Library, Pack, Problem

Path = tuple[str | int, ...]
_PERSONAL = {"idno", "phone", "bank_account", "image"}
_GIVEN = {"today"}


class Names:
    """Whether everything a pack refers to exists (L1, L2), with what else one pack alone can tell."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.words = Dictionary(library)
        self.registers = {p.id: p for p in library.all("register")}
        self.materials = {id_: d for p in library.all("materials") for id_, d in p.data["materials"].items()}
        self.everywhere = {e for entity in self.words.entities() for e in self.words.elements(entity)}

    # ---- small questions

    def unknown(self, pack: Pack, path: Path, what: str, name: str, there: Collection[str]) -> Problem:
        """A name that does not exist, with the nearest one that does."""
        near = get_close_matches(name, list(there), n=1, cutoff=0.6)
        few = f"可用：{'、'.join(sorted(there))}" if len(there) <= 12 else "先在字典里定义，再引用"
        return pack.problem(path, f"没有{what} {name}", f"是不是 {near[0]}？" if near else few, "L1")

    def register(self, pack: Pack, path: Path, source: Mapping[str, Any]) -> Iterator[Problem]:
        """A register, and the field of it when one is named."""
        register = self.registers.get(source["register"])
        if register is None:
            yield self.unknown(pack, path, "登记库", source["register"], self.registers)
        elif source.get("field") and source["field"] not in register.data["fields"]:
            what = f"登记库 {register.id} 的字段"
            yield self.unknown(pack, path, what, source["field"], register.data["fields"])

    def feel(
        self, pack: Pack, path: Path, text: str, roles: Mapping[str, str], names: Collection[str]
    ) -> Iterator[Problem]:
        """A FEEL text that may read paths of ``roles`` and the situations ``names``."""
        try:
            reads = expressions.reads(text)
        except FeelSyntaxError as error:
            remedy = '写成 FEEL，如 service.delivery = "邮寄送达"（一个等号，文字用双引号）'
            yield pack.problem(path, f"表达式「{text}」读不懂：{error}", remedy, "L1")
            return
        for name in sorted(reads):
            role, dot, _ = name.partition(".")
            if name in names or name in _GIVEN:
                continue
            if not dot:
                yield self.unknown(pack, path, "情形或函数", name, {*names, *FUNCTIONS})
            elif role not in roles:
                yield self.unknown(pack, path, "角色", role, roles)
            else:
                yield from self.element(pack, path, name, roles)

    def element(self, pack: Pack, path: Path, name: str, roles: Mapping[str, str]) -> Iterator[Problem]:
        """A path ``role.element``."""
        role, _, element = name.partition(".")
        if role not in roles:
            yield self.unknown(pack, path, "角色", role, roles)
        elif element not in self.words.elements(roles[role]):
            what = f"「{self.words.label(roles[role])}」的数据元"
            yield self.unknown(pack, path, what, element, self.words.elements(roles[role]))

    # ---- the dictionary

    def dictionary(self) -> Iterator[Problem]:
        """L1, L6, L10 over elements and materials."""
        for pack in self.library.all("elements"):
            extends = pack.data.get("extends")
            if extends and extends not in self.words.entities():
                yield self.unknown(pack, ("extends",), "实体", extends, self.words.entities())
            for id_, spec in pack.data["elements"].items():
                yield from self._definition(pack, id_, spec)
        yield from self._derive_cycles()
        for pack in self.library.all("materials"):
            for id_, spec in pack.data["materials"].items():
                path: Path = ("materials", id_)
                if "register" in spec:
                    yield from self.register(pack, (*path, "register"), spec["register"])
                for element in (*spec.get("proves", ()), *([spec["field"]] if "field" in spec else ())):
                    if element not in self.everywhere:
                        yield self.unknown(pack, path, "数据元", element, self.everywhere)

    def _definition(self, pack: Pack, id_: str, spec: Mapping[str, Any]) -> Iterator[Problem]:
        path: Path = ("elements", id_)
        if "codelist" in spec and self.library.find("codelist", spec["codelist"]) is None:
            lists = {p.id for p in self.library.all("codelist")}
            yield self.unknown(pack, path, "代码表", spec["codelist"], lists)
        if spec["type"] == "code" and not {"codes", "codelist"} & spec.keys():
            yield pack.problem(path, f"{id_} 是代码却没有可选值", "写 codes 或 codelist", "L1")
        for n, source in enumerate(spec.get("sources", ())):
            if "register" not in source:
                continue
            yield from self.register(pack, (*path, "sources", n), source)
            key = source["key"].rpartition(".")[2]
            if key not in self.everywhere:
                yield self.unknown(pack, (*path, "sources", n), "查询键数据元", key, self.everywhere)
        if spec["type"] in _PERSONAL and spec.get("level", "公开") == "公开":
            what = f"{id_}（{spec['name']}）能识别到个人，却没有标数据级别"
            yield pack.problem(path, what, "level 写 一般个人信息 或 敏感个人信息", "L10")
        if spec.get("min") is not None and spec.get("max") is not None and spec["min"] > spec["max"]:
            yield pack.problem(path, f"{id_} 的 min 大于 max", "改成有交集的范围", "L3")
        if "derive" in spec:
            try:
                reads = expressions.reads(spec["derive"])
            except FeelSyntaxError as error:
                yield pack.problem((*path, "derive"), f"表达式读不懂：{error}", "写成 FEEL", "L1")
                return
            for name in sorted(reads):
                element = name.rpartition(".")[2]
                if element not in self.everywhere:
                    yield self.unknown(pack, (*path, "derive"), "数据元或函数", element, self.everywhere)

    def _derive_cycles(self) -> Iterator[Problem]:
        for entity in self.words.entities():
            graph = {
                id_: self._reads_own(element.definition.get("derive"))
                for id_, element in self.words.elements(entity).items()
            }
            for id_, element in self.words.elements(entity).items():
                reached: set[str] = set()
                todo = list(graph[id_])
                while todo:
                    current = todo.pop()
                    if current not in reached:
                        reached.add(current)
                        todo.extend(graph.get(current, ()))
                if id_ in reached and element.entity == entity:
                    what = (
                        f"推导成环：{id_} 由 {'、'.join(sorted(reached - {id_})) or '自己'}推出，又推出它们"
                    )
                    yield element.pack.problem(("elements", id_, "derive"), what, "去掉其中一个 derive", "L6")

    @staticmethod
    def _reads_own(text: str | None) -> frozenset[str]:
        try:
            return frozenset(r for r in expressions.reads(text) if "." not in r) if text else frozenset()
        except FeelSyntaxError:
            return frozenset()

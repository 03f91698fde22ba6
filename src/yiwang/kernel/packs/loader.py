"""Read a tree of packs. Bad content gives problems, never an exception, and never stops the other files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from yiwang.kernel.packs.contracts import Library, Pack, Problem
from yiwang.kernel.packs.strict import StrictError, load

_TYPES = {
    "string": "文字",
    "integer": "整数",
    "number": "数",
    "boolean": "真假（true 或 false）",
    "array": "列表",
    "object": "键值表",
    "null": "空",
}


def kinds() -> tuple[str, ...]:
    """Every pack kind that has a published schema."""
    names = (f.name for f in resources.files("yiwang.kernel.packs").joinpath("schemas").iterdir())
    return tuple(sorted(n.removesuffix(".json") for n in names if n.endswith(".json")))


@cache
def schema(kind: str) -> dict[str, Any]:
    """The published JSON Schema (2020-12) of a kind.

    Raises:
        LookupError: there is no such kind.
    """
    if kind not in kinds():
        raise LookupError(f"没有「{kind}」这种包；可用的种类：{'、'.join(kinds())}")
    file = resources.files("yiwang.kernel.packs").joinpath("schemas", f"{kind}.json")
    loaded: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return loaded


@cache
def _validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(schema(kind))


def read(root: Path) -> tuple[Library, list[Problem]]:
    """Read every ``.yaml`` under ``root``.

    Returns:
        the library of the good packs, and the problems of the others (file, line, what, remedy; Chinese).
    """
    packs: list[Pack] = []
    problems: list[Problem] = []
    seen: dict[tuple[str, str], Pack] = {}
    if not root.is_dir():
        return Library(), [Problem(str(root.name), 1, "没有这个包目录", "检查路径，或新建目录")]
    for path in sorted((*root.rglob("*.yaml"), *root.rglob("*.yml"))):
        name = path.relative_to(root).as_posix()
        if path.suffix == ".yml":
            problems.append(Problem(name, 1, "扩展名是 .yml，不会被读取", "改名为 .yaml"))
            continue
        try:
            content = path.read_bytes()
        except OSError as error:
            problems.append(Problem(name, 1, f"读不出文件（{error.strerror}）", "检查文件权限"))
            continue
        pack, found = parse(content, name)
        problems.extend(found)
        if pack is None:
            continue
        other = seen.get((pack.kind, pack.id))
        if other is not None:
            problems.append(
                pack.problem(
                    ("id",), f"id「{pack.id}」与 {other.file} 重复", "一个 id 只能有一个文件；改 id 或合并"
                )
            )
            continue
        seen[(pack.kind, pack.id)] = pack
        packs.append(pack)
    return Library(packs), problems


def parse(content: bytes, name: str) -> tuple[Pack | None, list[Problem]]:
    """Read one pack from the bytes of a file (or of a stored version).

    The same bytes are read once: whoever checks a tree, or writes one pack of it, reads the others many times. What is
    given is nobody's to change.

    Returns:
        the pack, or None with at least one problem.
    """
    pack, problems = _parsed(content, name)
    return pack, list(problems)


@lru_cache(maxsize=2048)
def _parsed(content: bytes, name: str) -> tuple[Pack | None, Sequence[Problem]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return None, [Problem(name, line, "文件不是 UTF-8 编码", "用编辑器另存为 UTF-8")]
    try:
        data, lines = load(text)
    except StrictError as error:
        return None, [Problem(name, error.line, error.what, error.remedy)]
    if not isinstance(data, dict):
        return None, [Problem(name, 1, "文件最外层不是键值表", "最外层写 kind、id、name、version …")]
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in kinds():
        remedy = f"写成其中之一：{'、'.join(kinds())}"
        what = "没有写 kind" if kind is None else f"没有「{kind}」这种包"
        return None, [Problem(name, lines.get(("kind",), 1), what, remedy)]
    problems = [
        Problem(name, _line(lines, path), what, remedy)
        for path, what, remedy in _explain(_validator(kind).iter_errors(data))
    ]
    if problems:
        return None, sorted(problems, key=lambda p: (p.line, p.what))
    sha256 = hashlib.sha256(content).hexdigest()
    return Pack(kind, data["id"], data["version"], data["name"], data, name, lines, sha256), []


def _line(lines: dict[tuple[str | int, ...], int], path: tuple[str | int, ...]) -> int:
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _explain(errors: Iterable[ValidationError]) -> Iterable[tuple[tuple[str | int, ...], str, str]]:
    """Each schema error as (path, what, remedy) in Chinese; of an anyOf/oneOf the nearest branch."""
    for error in errors:
        path = tuple(error.absolute_path)
        where = _where(path)
        if error.validator in ("anyOf", "oneOf") and error.context:
            branches: dict[Any, list[ValidationError]] = {}
            for sub in error.context:
                branches.setdefault(sub.schema_path[0], []).append(sub)
            nearest = [b for b in branches.values() if all(e.validator != "type" or e.path for e in b)]
            if nearest:
                yield from _explain(_fewest(nearest))
            else:
                hint = error.schema.get("description", "对照该种类的模式文件")
                yield path, f"{where}的写法不对：{_short(error.instance)}", f"应为：{hint}"
        elif error.validator == "additionalProperties":
            allowed = tuple(error.schema.get("properties", {}))
            extra = [k for k in error.instance if k not in allowed]
            for key in extra:
                near = _nearest(key, allowed)
                hint = f"是不是「{near}」？" if near else ""
                yield (*path, key), f"{where}有不认识的键「{key}」", f"{hint}可用的键：{'、'.join(allowed)}"
        elif error.validator == "required":
            missing = [k for k in error.validator_value if k not in error.instance]
            for key in missing:
                about = error.schema.get("properties", {}).get(key, {}).get("description", "")
                yield path, f"{where}缺少「{key}」", f"补上 {key}{'：' + about if about else ''}"
        elif error.validator == "type":
            types = (
                error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
            )
            want = "或".join(_TYPES.get(str(t), str(t)) for t in types)
            yield path, f"{where}应为{want}，现为 {_short(error.instance)}", f"改成{want}"
        elif error.validator == "enum":
            want = "、".join(str(v) for v in error.validator_value)
            yield path, f"{where}的值 {_short(error.instance)} 不在可选范围内", f"可选：{want}"
        elif error.validator == "const":
            yield path, f"{where}的值 {_short(error.instance)} 不对", f"写成 {error.validator_value}"
        elif error.validator == "pattern":
            hint = error.schema.get("description", f"符合 {error.validator_value}")
            yield path, f"{where}的值 {_short(error.instance)} 格式不对", f"应为：{hint}"
        elif error.validator in ("minItems", "minProperties", "minLength"):
            yield path, f"{where}不能少于 {error.validator_value} 项（字）", "补上内容，或删去这一项"
        elif error.validator in ("minimum", "maximum"):
            word = "小于" if error.validator == "minimum" else "大于"
            yield path, f"{where}的值 {error.instance} {word} {error.validator_value}", "改到范围之内"
        elif error.validator == "uniqueItems":
            yield path, f"{where}有重复的项", "去掉重复的"
        else:
            yield path, f"{where}不合模式（{error.validator}）", "对照该种类的模式文件修改"


def _where(path: tuple[str | int, ...]) -> str:
    if not path:
        return "最外层"
    parts = "".join(f"[{p + 1}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")
    return f"「{parts}」"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else text[:37] + "…"


def _nearest(word: str, candidates: Iterable[str]) -> str | None:
    found = get_close_matches(word, list(candidates), n=1, cutoff=0.6)
    return found[0] if found else None


def _fewest(branches: list[list[ValidationError]]) -> list[ValidationError]:
    return sorted(branches, key=len)[0]

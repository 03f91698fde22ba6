"""Loading a model and what it imports (DMN 1.5 §6.3.3)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

from yiwang.engines.judge.dmn import contracts as c
from yiwang.engines.judge.dmn.graph import File
from yiwang.engines.judge.dmn.model import Model
from yiwang.engines.judge.dmn.reader import of_root
from yiwang.engines.judge.dmn.xml import is_dmn, read

Resolver = Callable[[str, str | None], bytes | None]
"""Takes an import's namespace and location, gives the file; None when it has none."""
_MOST_FILES = 200
_LARGEST = 20_000_000


def load(path: str | Path, resolver: Resolver | None = None) -> Model:
    """The model in a file. Imports are looked for beside it, by location or by namespace.

    Args:
        path: the file.
        resolver: asked for imports instead of looking in the folder.

    Raises:
        NotDmn: the file, or one that it imports, is no decision model.
        OSError: the file cannot be read.
    """
    file = Path(path)
    return loads(file.read_bytes(), resolver or folder(file.resolve().parent))


def loads(xml: bytes, resolver: Resolver | None = None) -> Model:
    """The model in `xml`; without a resolver nothing is imported. Raises NotDmn."""
    return Model(_Loader(resolver or (lambda _namespace, _location: None)).file(xml, ()))


def folder(place: Path) -> Resolver:
    """A resolver that looks in one folder and below, never outside."""

    def resolve(namespace: str, location: str | None) -> bytes | None:
        if location:
            file = (place / unquote(location.removeprefix("file:"))).resolve()
            if file.is_relative_to(place) and file.is_file() and file.stat().st_size <= _LARGEST:
                return file.read_bytes()
        for file in sorted(place.glob("*.dmn"))[:_MOST_FILES]:
            if file.stat().st_size > _LARGEST:
                continue
            xml = file.read_bytes()
            if namespace.encode() in xml and _namespace(xml) == namespace:
                return xml
        return None

    return resolve


def _namespace(xml: bytes) -> str | None:
    try:
        return str(read(xml).get("namespace"))
    except c.NotDmn:
        return None


class _Loader:
    """Loads each file once."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._files: dict[str, File] = {}

    def file(self, xml: bytes, above: tuple[str, ...]) -> File:
        root = read(xml)
        definitions = of_root(root)
        above = (*above, definitions.namespace)
        imports: list[tuple[str, File]] = []
        problems: list[c.Problem] = []
        for one in definitions.imports:
            if not is_dmn(one.type):
                continue
            found = self._imported(one, above)
            if found is None:
                what = f"导入的模型「{one.namespace}」找不到"
                problems.append(c.Problem(one.name, "", what, "请把它的 .dmn 文件放在同一个文件夹"))
            else:
                imports.append((one.name, found))
        file = File(definitions, root, imports)
        file.problems.extend(problems)
        self._files[definitions.namespace] = file
        return file

    def _imported(self, one: c.Import, above: tuple[str, ...]) -> File | None:
        if one.namespace in self._files:
            return self._files[one.namespace]
        if one.namespace in above:
            return None  # two models that import each other
        xml = self._resolver(one.namespace, one.location)
        return self.file(xml, above) if xml is not None else None

"""Reading DMN XML safely: no entities, no network, no document type. Versions 1.1 to 1.5."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from yiwang.engines.judge.dmn.contracts import NotDmn

LARGEST = 20_000_000
NAMESPACE = "https://www.omg.org/spec/DMN/20230324/MODEL/"
"""Of DMN 1.5, in which models are written."""
_VERSIONS = re.compile(r"https?://www\.omg\.org/spec/DMN/[0-9]{8}/(?:MODEL/?|dmn\.xsd)")


def read(xml: bytes) -> Any:
    """The root element `definitions`.

    Raises:
        NotDmn: not XML, too large, with a document type, or another kind of XML.
    """
    if len(xml) > LARGEST:
        raise NotDmn(f"文件超过 {LARGEST // 1_000_000} MB，请拆成几个模型")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise NotDmn(f"不是完整的 XML 文件：{error}。请用建模工具重新导出") from None
    # A document type can only bring entities: attacks, never content of a model.
    if root is None or root.getroottree().docinfo.doctype:
        raise NotDmn("文件带有 DOCTYPE 声明，出于安全不予读取，请删去后再导入")
    if tag(root) != "definitions":
        raise NotDmn(
            "不是 DMN 文件：根元素应是 DMN 命名空间的 definitions，请用建模工具导出 DMN 1.1 至 1.5 的 XML"
        )
    return root


def is_dmn(namespace: str | None) -> bool:
    """Whether the namespace is that of a version of DMN."""
    return bool(namespace and _VERSIONS.fullmatch(namespace))


def tag(element: Any) -> str:
    """The local name of a DMN element; empty for anything else (comments, other namespaces)."""
    if not isinstance(element.tag, str):
        return ""
    name = etree.QName(element)
    return name.localname if is_dmn(name.namespace) else ""


def children(element: Any, *names: str) -> list[Any]:
    """The child elements of DMN, all or those of the given names."""
    found = [child for child in element if tag(child)]
    return [child for child in found if tag(child) in names] if names else found


def child(element: Any, name: str) -> Any:
    """The first child of this name, or None."""
    return next(iter(children(element, name)), None)


def text(element: Any, name: str = "text") -> str:
    """The text of a child element, stripped; empty when there is none."""
    found = child(element, name) if element is not None else None
    return "".join(found.itertext()).strip() if found is not None else ""


def true(element: Any, name: str) -> bool:
    """An xsd:boolean attribute."""
    return (element.get(name) or "").strip() in ("true", "1")

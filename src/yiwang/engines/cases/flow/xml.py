"""Reading BPMN 2.0 XML safely: no entities, no network, no document type."""

from __future__ import annotations

from typing import Any

from lxml import etree

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
YW = "{urn:yiwang:bpmn:1}"
LARGEST = 20_000_000


class NotBpmn(Exception):
    """The file cannot be read at all; the message, in Chinese, says why and what to do."""


def read(xml: bytes) -> Any:
    """The root element `definitions`.

    Raises:
        NotBpmn: not XML, too large, with a document type, or another kind of XML.
    """
    if len(xml) > LARGEST:
        raise NotBpmn(f"文件超过 {LARGEST // 1_000_000} MB，请拆成几个流程")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise NotBpmn(f"不是完整的 XML 文件：{error}。请用建模工具重新导出") from None
    # A document type can only bring entities: attacks, never content of a flow.
    if root is None or root.getroottree().docinfo.doctype:
        raise NotBpmn("文件带有 DOCTYPE 声明，出于安全不予读取，请删去后再导入")
    if root.tag != BPMN + "definitions":
        raise NotBpmn(
            "不是 BPMN 2.0 文件：根元素应是 BPMN 命名空间的 definitions，请用建模工具导出 BPMN 2.0 XML"
        )
    return root


def tag(element: Any) -> str:
    """The local name of a BPMN element; empty for anything else (comments, other namespaces)."""
    name = element.tag
    return name[len(BPMN) :] if isinstance(name, str) and name.startswith(BPMN) else ""


def text(element: Any) -> str | None:
    """The text inside an element, stripped; None when there is none."""
    if element is None:
        return None
    joined = "".join(element.itertext()).strip()
    return joined or None


def true(element: Any, name: str, otherwise: bool = False) -> bool:
    """An xsd:boolean attribute."""
    value = element.get(name)
    return otherwise if value is None else value.strip() in ("true", "1")

"""Writing models as DMN 1.5 XML. The model's own XML is kept, so nothing that it says is lost:
diagrams, extension elements of any modeller and comments go through; only the version's namespaces change.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from yiwang.engines.judge.dmn.model import Model
from yiwang.engines.judge.dmn.xml import NAMESPACE, is_dmn

_FEEL = "https://www.omg.org/spec/DMN/20230324/FEEL/"
_DIAGRAM = "https://www.omg.org/spec/DMN/20230324/DMNDI/"
_DIAGRAMS = re.compile(r"https?://www\.omg\.org/spec/DMN/[0-9]{8}/DMNDI/?")
_LANGUAGES = re.compile(r"https?://www\.omg\.org/spec/(?:DMN/[0-9]{8}/FEEL/?|FEEL/[0-9]{8}/?)")


def dump(model: Model) -> bytes:
    """The model as DMN 1.5 XML, UTF-8. Reading it gives the same model."""
    return write(model.root)


def write(root: Any) -> bytes:
    """A tree of any version as DMN 1.5 XML. The tree itself stays as it is."""
    made = _copy(root)
    tree = etree.ElementTree(made)
    for node in root.itersiblings(preceding=True):
        made.addprevious(_comment(node))
    return bytes(etree.tostring(tree, xml_declaration=True, encoding="UTF-8"))


def _copy(element: Any) -> Any:
    """An element and all in it, in the namespaces of DMN 1.5."""
    if not isinstance(element.tag, str):
        return _comment(element)
    prefixes = {prefix: _renamed(uri) for prefix, uri in element.nsmap.items()}
    made = etree.Element(_tag(element.tag), nsmap=prefixes)
    for name, value in element.attrib.items():
        made.set(_tag(name), _value(str(name), value))
    made.text = element.text
    for child in element:
        copied = _copy(child)
        copied.tail = child.tail
        made.append(copied)
    return made


def _comment(node: Any) -> Any:
    if isinstance(node, etree._Comment):
        return etree.Comment(node.text)
    return etree.ProcessingInstruction(node.target, node.text)


def _tag(name: str) -> str:
    uri, mark, local = name[1:].partition("}") if name.startswith("{") else ("", "", name)
    return f"{{{_renamed(uri)}}}{local}" if mark else local


def _renamed(uri: str) -> str:
    """The namespace of DMN 1.5 for one of an older version."""
    if is_dmn(uri):
        return NAMESPACE
    return _DIAGRAM if _DIAGRAMS.fullmatch(uri) else _FEEL if _LANGUAGES.fullmatch(uri) else uri


def _value(name: str, value: str) -> str:
    """Attributes that name a version: languages and the type of an import."""
    if name in ("expressionLanguage", "typeLanguage", "importType"):
        return _renamed(value)
    return value

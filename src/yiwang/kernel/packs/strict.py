"""Strict YAML: what is written is what is read, and every node knows its line.

Only ``true``, ``false``, ``null``, whole and decimal numbers are not text. Whatever another YAML reader would
silently read as something else (``on``, ``no``, ``07``, ``12:30``, ``0x1F``) is refused: put it in quotes.
A plain date such as ``2024-07-01`` is text. Duplicate keys, keys that are not text, anchors, aliases, merge
keys and explicit tags are refused.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

Path = tuple[str | int, ...]
Lines = dict[Path, int]

_INT = re.compile(r"-?(?:0|[1-9][0-9]*)\Z")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+\Z")
_WORDS = {"true": True, "false": False, "null": None}
_AMBIGUOUS_WORDS = {"on", "off", "yes", "no", "y", "n", "~", ".inf", "-.inf", "+.inf", ".nan"}
_AMBIGUOUS_NUMBER = re.compile(
    r"[-+]?(?:0[0-9_]+|0[xXoObB][0-9a-fA-F_]+|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"
    r"|[0-9]*_[0-9_]*|[0-9]+\.|\.[0-9]+|[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+)\Z|\+[0-9.]+\Z"
)
_QUOTE = "是文字就加引号写成 {0!r}；是真假写 true 或 false；是数写十进制数"


class StrictError(ValueError):
    """The text is not strict YAML. ``line`` counts from 1; ``what`` and ``remedy`` are Chinese."""

    def __init__(self, line: int, what: str, remedy: str) -> None:
        super().__init__(f"第 {line} 行：{what}。怎么改：{remedy}")
        self.line = line
        self.what = what
        self.remedy = remedy


class _Composer(yaml.SafeLoader):
    """Composes nodes only; refuses anchors, aliases and tags while at it."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            raise StrictError(line, f"用了别名 *{event.anchor}", "把内容写出来，不用别名")
        if getattr(event, "anchor", None):
            raise StrictError(line, f"用了锚点 &{event.anchor}", "去掉锚点，把内容写出来")
        if getattr(event, "tag", None):
            raise StrictError(line, f"用了类型标签 {event.tag}", "去掉标签；文字加引号即可")
        return super().compose_node(parent, index)


def load(text: str) -> tuple[Any, Lines]:
    """Read one strict YAML document.

    Returns:
        the data (dict, list, str, int, float, bool, None) and the line of every node by its path. The line
        of a mapping entry is the line of its key.

    Raises:
        StrictError: with the line and a remedy.
    """
    try:
        loader = _Composer(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise StrictError(
            line,
            f"不是合法的 YAML（{error.problem or error.context}）",
            "检查缩进、冒号后的空格、引号和括号是否成对",
        ) from error
    except yaml.YAMLError as error:  # unprintable characters
        raise StrictError(1, f"不是合法的 YAML（{error}）", "文件须为 UTF-8 文本，去掉不可见字符") from error
    lines: Lines = {}
    if node is None:
        raise StrictError(1, "文件是空的", "写入包的内容，或删掉文件")
    return _build(node, (), lines), lines


def _build(node: Any, path: Path, lines: Lines) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return [_build(child, (*path, i), lines) for i, child in enumerate(node.value)]
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        key = _scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
        if not isinstance(key, str):
            raise StrictError(
                line, f"键 {getattr(key_node, 'value', '')!r} 不是文字", "键写成文字，数字键加引号"
            )
        if key == "<<":
            raise StrictError(line, "用了合并键 <<", "把内容写出来")
        if key in result:
            first = lines[(*path, key)]
            raise StrictError(line, f"键「{key}」重复（第 {first} 行已有）", "两处合为一处")
        lines[(*path, key)] = line
        result[key] = _build(value_node, (*path, key), lines)
    return result


def _scalar(node: yaml.ScalarNode) -> Any:
    text: str = node.value
    if node.style is not None:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text == "":
        return None
    line = node.start_mark.line + 1
    if text.lower() in _AMBIGUOUS_WORDS or (text.lower() in _WORDS):
        raise StrictError(
            line, f"「{text}」没加引号，不同的 YAML 读法不同（真假、空值或文字）", _QUOTE.format(text)
        )
    if _INT.match(text):
        return int(text)
    if _DECIMAL.match(text):
        return float(text)
    if _AMBIGUOUS_NUMBER.match(text):
        raise StrictError(
            line,
            f"「{text}」没加引号，不同的 YAML 读法不同（八进制、六十进制、科学计数或文字）",
            _QUOTE.format(text),
        )
    return text

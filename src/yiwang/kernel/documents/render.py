"""Typst to PDF. One compiler per process: the first page costs a second, the next a few milliseconds."""

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import segno
import typst

FAMILIES = ["Noto Serif CJK SC", "Noto Sans CJK SC", "Source Han Serif SC", "Noto Sans CJK TC"]


class NoChineseFont(RuntimeError):
    """Typst would print empty boxes without a word; better to stop here."""


@cache
def _fonts() -> typst.Fonts:
    bundled = find_spec("cvttf_NotoSansCJK_Regular")
    folders = [str(Path(bundled.origin).parent)] if bundled and bundled.origin else []
    return typst.Fonts(font_paths=folders)


@cache
def families() -> tuple[str, ...]:
    """The Chinese font families that documents may use here, best first.

    Raises:
        NoChineseFont: there is none.
    """
    present = set(_fonts().families())
    found = tuple(name for name in FAMILIES if name in present)
    if not found:
        raise NoChineseFont("找不到中文字体：请安装 fonts-noto-cjk，或运行 make setup 重装依赖")
    return found


@cache
def _compiler() -> typst.Compiler:
    return typst.Compiler(font_paths=_fonts())


def qr_svg(text: str) -> str:
    """A QR code as SVG."""
    return segno.make(text, error="m").svg_inline(scale=4, border=1)


def render(template: bytes, data: dict) -> bytes:
    """Compile a template with its data (given as JSON in ``sys.inputs.data``) to PDF bytes.

    Raises:
        NoChineseFont: no Chinese font on this machine.
        typst.TypstError: the template is wrong; the message has the line.
    """
    inputs = {"data": json.dumps({**data, "fonts": list(families())}, ensure_ascii=False)}
    pdf = _compiler().compile(input=template, format="pdf", sys_inputs=inputs)
    return bytes(pdf)

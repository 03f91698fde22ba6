"""The one exception of the library."""

from __future__ import annotations


class FeelSyntaxError(ValueError):
    """The text is not FEEL. Evaluation never raises: it gives null and a reason.

    Args:
        message: what is wrong and how to mend it, in Chinese.
        position: offset of the first character that does not fit, counted from 0.
    """

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message}（第 {position + 1} 个字符处）")
        self.message = message
        self.position = position

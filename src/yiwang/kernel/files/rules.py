"""Which uploads are taken. The bytes decide what a file is, never its name."""

MAX_BYTES = 10 * 1024 * 1024
_SIGNATURES = (
    (b"%PDF-", "application/pdf", "PDF", (".pdf",)),
    (b"\xff\xd8\xff", "image/jpeg", "JPG", (".jpg", ".jpeg")),
    (b"\x89PNG\r\n\x1a\n", "image/png", "PNG", (".png",)),
)
ACCEPTED = "、".join(label for _, _, label, _ in _SIGNATURES)
ACCEPT_ATTRIBUTE = ",".join(ending for *_, endings in _SIGNATURES for ending in endings)


class NotTaken(ValueError):
    """An upload that is refused; ``str(error)`` says why and what to do, in Chinese."""


def too_large(name: str, size: int) -> NotTaken:
    """The refusal of a file over the limit."""
    return NotTaken(
        f"“{name}”有 {size / 1048576:.0f} MB，超过 {MAX_BYTES // 1048576} MB 的上限。"
        "请用手机重新拍照（选“标准”画质），或压缩后再上传。"
    )


def media_type(name: str, content: bytes) -> str:
    """What the bytes are.

    Raises:
        NotTaken: empty, too large, or of a kind that is not taken (such as a renamed program).
    """
    if not content:
        raise NotTaken(f"“{name}”是空文件，请重新选择。")
    if len(content) > MAX_BYTES:
        raise too_large(name, len(content))
    for signature, kind, _label, _endings in _SIGNATURES:
        if content.startswith(signature):
            return kind
    raise NotTaken(f"“{name}”的内容不是 {ACCEPTED} 文件（改扩展名不能改变文件类型）。请上传照片或扫描件。")

"""A signed document can be checked by anybody's PDF reader, and any change to it shows."""

from io import BytesIO
from pathlib import Path

import pytest
from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from yiwang.kernel.documents.render import render
from yiwang.kernel.documents.signing import RsaSigner, _make_demo_certificate

TEMPLATE = b"""#let d = json(bytes(sys.inputs.data))
#set text(font: d.fonts)
#d.title"""


@pytest.fixture(scope="module")
def signer(tmp_path_factory) -> RsaSigner:
    folder: Path = tmp_path_factory.mktemp("keys")
    _make_demo_certificate(folder / "demo.p12", folder / "demo.pass")
    return RsaSigner(folder / "demo.p12", (folder / "demo.pass").read_text())


def _status(pdf: bytes, signer: RsaSigner):
    trusted = list(load_certs_from_pemder_data(signer._signer.signing_cert.dump()))
    signature = PdfFileReader(BytesIO(pdf)).embedded_signatures[0]
    context = ValidationContext(trust_roots=trusted, allow_fetching=False)
    return validate_pdf_signature(signature, context)


def test_each_of_several_documents_is_validly_signed(signer):
    for title in ("准予行政许可决定书", "不予受理通知书", "营业执照"):
        signed = signer.sign(render(TEMPLATE, {"title": title}), title)
        status = _status(signed, signer)
        assert status.intact and status.valid and status.trusted
        assert status.coverage.name == "ENTIRE_FILE"


def test_a_changed_byte_shows(signer):
    signed = bytearray(signer.sign(render(TEMPLATE, {"title": "准予"}), "准予"))
    at = signed.index(b"/CreationDate") + len(b"/CreationDate (D:")
    signed[at] ^= 1
    assert not _status(bytes(signed), signer).intact

"""What a person types must never open somebody else's record."""

from pathlib import Path

from yiwang.engines.cases import forms
from yiwang.kernel.packs.loader import read

ROOT = Path(__file__).resolve().parents[6]


def test_a_typed_identity_number_is_never_a_query_key():
    """The marriage register knows no husband; the mother types a stranger's number; his data stays hidden."""
    library, _problems = read(ROOT / "packs")
    asked: list[tuple[str, str]] = []
    stranger = "379901199001010015"

    def lookup(register, key):
        asked.append((register, key))
        return {"xm": "陌生人", "hjdz": "某地", "xzz": "某地"} if key == stranger else None

    plan = forms.plan(library, "sd.newborn", {"married": True, "insured_maternity": True})
    data = {"mother.idno": "379901199501010021", "mother.name": "王秀兰", "father.idno": stranger}
    filled, _provenance = forms.fill(plan, data, lookup)
    assert stranger not in {key for _register, key in asked}
    assert "father.name" not in filled

"""Plan, fill, check, project, issue: over every combination of answers of the real bundle."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from yiwang.engines.cases import forms
from yiwang.engines.cases.forms.contracts import Origin, PlanError, Way
from yiwang.engines.cases.forms.fill import holds
from yiwang.kernel.packs.contracts import Library, Pack

from .world import FATHER, LIBRARY, MOTHER, SIGNED_IN, TYPED, lookup

BUNDLE = "sd.newborn"
REGISTERS = {p.id for p in LIBRARY.all("register")}
ANSWERS = [
    {"married": m, "with_father": f, "insured_maternity": i, "rs.sscard": c}
    for m, f, i, c in itertools.product((True, False), repeat=4)
    if f or not m
]
ANSWERS.append({})  # nothing answered yet
UP: list[Any] = [True, False, REGISTERS - {"population"}, REGISTERS - {"marriage"}, REGISTERS - {"licences"}]
ITEMS = [p.id for p in LIBRARY.all("service_item")]


def changed(pack: Pack, **changes: Any) -> Library:
    new = Pack(pack.kind, pack.id, pack.version, pack.name, {**pack.data, **changes}, pack.file, pack.lines)
    return LIBRARY.with_packs([new])


def sample(field: forms.FormField) -> Any:
    """Some right value of a field."""
    if field.options:
        return field.options[0][0]
    by_type = {
        "int": field.min or 1,
        "date": "2026-11-20",
        "datetime": "2026-11-20T08:30:00",
        "idno": FATHER if field.path.startswith("father.") else MOTHER,
        "phone": "13900000000",
        "bank_account": "6222000000000000000",
        "region": "370102",
    }
    if field.pattern:
        return "Z000000001" if "[A-Z]" in field.pattern else "2025-01"
    return by_type.get(field.type, "示例文字")


def complete(plan: forms.FormPlan, down: set[str]) -> dict[str, Any]:
    """The form as a patient applicant leaves it: everything editable filled in."""
    data: dict[str, Any] = {k: v for k, v in SIGNED_IN.items() if k.split(".")[0] == plan.login}
    for _ in range(4):
        data, provenance = forms.fill(plan, data, lookup(down))
        for field in plan.fields:
            if field.type != "image" and data.get(field.path) in (None, ""):
                if forms.editable(field, provenance) and forms.visible(plan, field, data):
                    data[field.path] = TYPED.get(field.path, sample(field))
    return data


@pytest.mark.plan("P29")
@pytest.mark.parametrize("answers", ANSWERS, ids=lambda a: "".join("ny"[v] for v in a.values()))
@pytest.mark.parametrize("up", UP, ids=["up", "down", "no population", "no marriage", "no licences"])
def test_every_item_gets_its_own_required_fields_back(answers: dict[str, Any], up: Any) -> None:
    plan = forms.plan(LIBRARY, BUNDLE, answers, up)
    reachable = REGISTERS if up is True else up or set()
    data = complete(plan, REGISTERS - set(reachable))
    uploads = {m.key: "file" for m in plan.uploads}
    assert forms.check(plan, data, uploads) == []
    produced = {
        p: sample(plan.field(p)) for p in (f.path for f in plan.fields if f.origin is Origin.PRODUCED)
    }
    for item in plan.items:
        own = forms.project(plan, item.id, data | produced)
        assert forms.authority(plan, item.id, data).region
        for entry in LIBRARY.get("service_item", item.id).data["fields"]:
            spec = {"path": entry, "required": True} if isinstance(entry, str) else entry
            role, element = spec["path"].split(".")
            bound = f"{item.bind.get(role, role)}.{element}"
            when = spec.get("when")
            if when and holds(plan, when, data) is False:
                continue
            if spec.get("required") is True and plan.field(bound).type != "image":
                assert own.get(spec["path"]) == (data | produced)[bound], f"{item.id} lost {spec['path']}"


@pytest.mark.plan("P30")
@pytest.mark.parametrize("answers", ANSWERS[:-1], ids=lambda a: "".join("ny"[v] for v in a.values()))
def test_each_material_is_wanted_once_and_less_is_asked_with_registers(answers: dict[str, Any]) -> None:
    up, down = (forms.plan(LIBRARY, BUNDLE, answers, r) for r in (True, False))
    for plan in (up, down):
        keys = [m.key for m in plan.materials]
        assert len(keys) == len(set(keys))
        assert len({f.path for f in plan.fields}) == len(plan.fields)
    assert {f.path for f in up.asked} <= {f.path for f in down.asked}
    assert {m.key for m in up.uploads} <= {m.key for m in down.uploads}
    assert all(m.way is not Way.UPLOAD or "upload" in m.accept for m in down.materials)


def test_the_order_of_items_does_not_matter() -> None:
    pack = LIBRARY.get("bundle", BUNDLE)
    whole = forms.plan(LIBRARY, BUNDLE, {"married": True})
    for items in (pack.data["items"][::-1], pack.data["items"][3:] + pack.data["items"][:3]):
        other = forms.plan(changed(pack, items=items), BUNDLE, {"married": True})
        assert (other.fields, other.materials, other.pages) == (whole.fields, whole.materials, whole.pages)
        assert (other.batches, other.dependencies) == (whole.batches, whole.dependencies)


def with_field(item: str, entry: dict[str, Any], library: Library = LIBRARY) -> Library:
    pack = library.get("service_item", item)
    kept = [f for f in pack.data["fields"] if (f if isinstance(f, str) else f["path"]) != entry["path"]]
    new = {**pack.data, "fields": [*kept, entry]}
    return library.with_packs([Pack(pack.kind, pack.id, 9, pack.name, new, pack.file, pack.lines)])


def test_the_merged_constraint_is_the_strictest() -> None:
    one = with_field("ws.birth_cert", {"path": "child.name", "required": False, "max": 20})
    two = with_field("jk.vaccination", {"path": "child.name", "required": True, "min": 3, "max": 30}, one)
    field = forms.plan(two, BUNDLE).field("child.name")
    assert (field.required, field.min, field.max) == (True, 3, 20)


def test_an_empty_intersection_is_an_error_in_the_packs() -> None:
    one = with_field("ws.birth_cert", {"path": "child.name", "required": True, "max": 3})
    with pytest.raises(PlanError, match="没有交集"):
        forms.plan(with_field("jk.vaccination", {"path": "child.name", "min": 9}, one), BUNDLE)
    codes = with_field("ga.hukou.birth", {"path": "child.sex", "required": True, "codes": ["男"]})
    with pytest.raises(PlanError, match="没有交集"):
        forms.plan(with_field("jk.vaccination", {"path": "child.sex", "codes": ["女"]}, codes), BUNDLE)


def test_a_cycle_of_items_is_an_error() -> None:
    pack = LIBRARY.get("bundle", BUNDLE)
    after = [{"item": "ws.birth_cert", "after": "ga.hukou.birth", "why": "试验"}]
    with pytest.raises(PlanError, match="循环"):
        forms.plan(changed(pack, after=after), BUNDLE)


def test_the_registers_answer_the_situations() -> None:
    plan = forms.plan(LIBRARY, BUNDLE)
    assert forms.answer(plan, SIGNED_IN, lookup()) == {"married": True, "insured_maternity": True}
    assert forms.answer(plan, SIGNED_IN, lookup({"marriage"})) == {"insured_maternity": True}
    assert forms.answer(plan, SIGNED_IN | {"mother.idno": "nobody"}, lookup())["married"] is False


def test_whether_to_name_the_father_is_asked_only_of_the_unmarried() -> None:
    asked = {}
    for married in (True, False):
        situations = forms.plan(LIBRARY, BUNDLE, {"married": married}).situations
        asked[married] = [s.id for s in situations if s.asked]
    assert asked == {True: [], False: ["with_father"]}


def test_a_mother_alone_can_apply_but_not_with_the_fathers_household() -> None:
    plan = forms.plan(
        LIBRARY, BUNDLE, {"married": False, "with_father": False, "insured_maternity": True}, False
    )
    assert not [f.path for f in plan.fields if f.path.startswith("father.") and not f.supporting]
    data = complete(plan, REGISTERS)
    uploads = {m.key: "file" for m in plan.uploads}
    assert forms.check(plan, data, uploads) == []
    wrong = {**data, "child.hukou_with": "随父", "child.hukou_addr": "", "child.hukou_region": ""}
    errors = forms.check(plan, wrong, uploads)
    assert {e.path for e in errors} == {"child.hukou_with"}
    assert "推不出" in errors[0].message


def test_filling_keeps_what_was_typed_and_says_where_the_rest_is_from() -> None:
    plan = forms.plan(LIBRARY, BUNDLE, {"married": True, "insured_maternity": True})
    data, provenance = forms.fill(plan, SIGNED_IN | TYPED | {"mother.nationality": "840"}, lookup())
    assert {k: data[k] for k in TYPED} == TYPED
    assert data["mother.nationality"] == "840"
    assert data["father.idno"] == FATHER
    assert provenance["father.idno"].register == "marriage"
    assert data["father.name"] == "王二二"
    assert data["child.birth_date"] == "2026-11-20"
    assert data["child.hukou_region"] == "370102"
    assert data["service.clinic"] == "示例社区卫生服务中心"
    assert [e.path for e in forms.check(plan, data, {})] == ["photo@child"]


def test_a_register_that_is_down_leaves_its_fields_to_the_applicant() -> None:
    plan = forms.plan(LIBRARY, BUNDLE, {"married": True, "insured_maternity": True})
    data, provenance = forms.fill(plan, SIGNED_IN | TYPED, lookup({"birth_facility"}))
    found = provenance["child.weight_g"]
    assert found.origin is Origin.ASKED
    assert found.note
    assert forms.editable(plan.field("child.weight_g"), provenance)
    assert "child.weight_g" in {e.path for e in forms.check(plan, data, {"photo@child": "x"})}


def test_what_was_told_at_once_is_the_whole_form() -> None:
    plan = forms.plan(LIBRARY, BUNDLE, {"married": True, "insured_maternity": True})
    told = {t.key for t in forms.catalogue_of_told(plan)}
    assert {f.path for f in plan.asked if not f.supporting} <= told
    assert {m.key for m in plan.uploads} <= told
    assert "child.idno" not in told
    assert all(t.label and t.items for t in forms.catalogue_of_told(plan))


def issued(item_id: str, data: dict[str, Any]) -> dict[str, Any]:
    plan = forms.plan(LIBRARY, item_id)
    for allocation in forms.allocations(plan, item_id, data):
        data[allocation.path] = forms.render(allocation, 1)
    return data


def test_an_identity_number_is_allocated_printed_and_written_back() -> None:
    whole = forms.plan(LIBRARY, BUNDLE, {"married": True, "insured_maternity": True})
    filled, _ = forms.fill(whole, SIGNED_IN | TYPED, lookup())
    item = "ga.hukou.birth"
    plan = forms.plan(LIBRARY, item)
    data = issued(item, forms.project(whole, item, filled | {"child.birth_cert_no": "Z000000001"}))
    assert data["child.idno"][:17] == "37010220261120002"
    assert forms.validate(plan, "mother.idno", data["child.idno"])[1] is None
    (register, key, fields) = forms.write_backs(plan, item, data)[0]
    assert (register, key, fields["hjqh"]) == ("population", data["child.idno"], "370102")
    licence = forms.licence(plan, item, data)
    assert licence is not None
    assert (licence.number, licence.holder) == (data["child.idno"], "王小满")
    assert ("孩子的民族", "汉族") in licence.rows


def test_the_burden_of_a_birth() -> None:
    figures = forms.burden(LIBRARY, BUNDLE)
    up, down = figures["registers_up"], figures["registers_down"]
    assert [up["fields"][k] for k in ("apart", "merged", "not_produced", "asked")] == [126, 49, 47, 9]
    assert [up["materials"][k] for k in ("apart", "merged", "not_produced", "upload")] == [23, 12, 10, 1]
    assert down["fields"]["asked"] > 30
    assert figures["days"] == {
        "serial_legal": 65,
        "critical_legal": 34,
        "serial_promised": 12,
        "critical_promised": 6,
    }
    assert all(bar["holds"] for bar in figures["targets"].values())


@pytest.mark.parametrize("item", ITEMS)
@pytest.mark.parametrize("up", [True, False], ids=["up", "down"])
def test_every_item_can_be_applied_for_alone(item: str, up: bool) -> None:
    plan = forms.plan(LIBRARY, item, {"married": True}, up)
    assert plan.fields
    assert plan.pages
    assert forms.burden(LIBRARY, item)["items"] == 1


def test_a_licence_that_the_library_does_not_hold_is_not_taken_for_granted():
    """The plan says that a licence would do; for a person without one, the next accepted way takes its place."""
    plan = forms.plan(LIBRARY, "sd.newborn", {"married": True, "insured_maternity": True})

    def ways(held):
        def look(register, key):
            if register == "licences":
                return {"zzlx": held[key]} if key in held else None
            return lookup()(register, key)

        data, provenance = forms.fill(plan, SIGNED_IN | TYPED, look)
        return {m.key: m.way for m in forms.verified(plan, data, provenance, look)}

    full = ways({MOTHER: "居民身份证、居民户口簿、结婚证", FATHER: "居民身份证、居民户口簿"})
    assert full["marriage_cert@mother"] is Way.LICENCE
    bare = ways({FATHER: "居民身份证"})
    assert bare["id_card@father"] is Way.LICENCE
    assert bare["marriage_cert@mother"] is Way.COMMITMENT  # 告知承诺 before an upload
    assert bare["birth_cert@child"] is Way.PRODUCED
    # Every fact an identity card proves came from registers; nothing is left for paper to prove.
    assert bare["id_card@mother"] in (Way.PROVED, Way.UPLOAD)
    uploads = {k for k, w in ways({}).items() if w is Way.UPLOAD}
    assert "photo@child" in uploads
    assert uploads > {"photo@child"}

"""What is compiled, what is refused, and how it is said."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from yiwang.engines.cases.flow import FlowRejected, Graph, Outcome, compile_bpmn, report
from yiwang.engines.cases.flow.soundness import check
from yiwang.engines.cases.flow.tests.help import FLOWS, build, flows, node, wrap

STANDARD = ["std.bundle", "std.instant", "std.joint", "std.promise"]


def simple(inner="", kind="userTask", before="", extra="", **attributes):
    return wrap(
        *[node("start", "s"), node(kind, "bad", inner, name="坏的", **attributes), node("end", "e")],
        *[flows("s bad", "bad e"), extra],
        before=before,
    )


def event(definition):
    return f"<{definition}EventDefinition/>"


REFUSED = [
    ("transaction", simple(kind="transaction")),
    ("adHocSubProcess", simple(kind="adHocSubProcess")),
    ("complexGateway", simple(kind="complexGateway")),
    ("scriptTask", simple(kind="scriptTask")),
    ("choreographyTask", simple(kind="choreographyTask")),
    ("eventSubProcess", simple(kind="subProcess", triggeredByEvent="true")),
    ("compensation", simple(isForCompensation="true")),
    ("standardLoopCharacteristics", simple("<standardLoopCharacteristics/>")),
    *[
        (f"{name}EventDefinition", simple(event(name), "intermediateCatchEvent"))
        for name in ("conditional", "signal", "link")
    ],
    *[
        (f"{name}EventDefinition", simple(event(name), "intermediateThrowEvent"))
        for name in ("compensate", "escalation", "signal", "link")
    ],
    *[
        (
            f"{name}EventDefinition",
            wrap(
                *[node("start", "s"), node("user", "a"), node("end", "e"), node("end", "e2")],
                *[
                    node("boundary", "bad", event(name), name="坏的", attachedToRef="a"),
                    flows("s a", "a e", "bad e2"),
                ],
            ),
        )
        for name in ("cancel", "compensate", "escalation", "conditional", "signal")
    ],
    ("multipleEventDefinition", simple(event("timer") + event("message"), "intermediateCatchEvent")),
    ("intermediateCatchEvent", simple("", "intermediateCatchEvent")),
    ("callActivity", simple("", "callActivity", calledElement="elsewhere")),
    ("callActivity", simple("", "callActivity")),
    ("yw:outcome", simple('<extensionElements><yw:outcome name="x"/></extensionElements>')),
    ("userTask", simple(default="nosuch")),
    ("eventBasedGateway", simple("", "eventBasedGateway")),
]


@pytest.mark.parametrize(("element", "xml"), REFUSED, ids=[f"{i}-{e}" for i, (e, _) in enumerate(REFUSED)])
def test_unsupported_is_refused_by_name_and_id(element, xml):
    with pytest.raises(FlowRejected) as caught:
        compile_bpmn(xml)
    problem = next(p for p in caught.value.problems if p.element == element)
    assert (problem.id, problem.name) == ("bad", "坏的")
    assert "坏的" in problem.message
    result = report(xml)
    assert not result["accepted"]
    assert {"element": element, "id": "bad", "name": "坏的", "message": problem.message} in result[
        "unsupported"
    ]
    assert result["nodes"] >= 3


def test_choreography_is_refused():
    result = report(wrap(node("start", "s"), before='<choreography id="c" name="编排"/>'))
    assert [p["element"] for p in result["unsupported"]] == ["choreography"]


def test_a_flow_that_crosses_scopes_is_reported():
    inner = node("start", "is") + node("user", "i") + node("end", "ie") + flows("is i", "i ie", "i e")
    xml = wrap(
        *[node("start", "s"), node("subProcess", "sub", inner), node("end", "e")],
        flows("s sub", "sub e", "s i"),
    )
    result = report(xml)
    assert not result["accepted"]
    assert {p["id"] for p in result["unsupported"]} == {"f_i_e", "f_s_i"}
    assert all(p["element"] == "sequenceFlow" and "边界" in p["message"] for p in result["unsupported"])
    assert (result["nodes"], result["sequence_flows"]) == (6, 6)


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"<a",
        b"not xml",
        b"<a/>",
        b"\xff\xfe\x00",
        b'<?xml version="1.0" encoding="nosuch"?><a/>',
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><x>&e;</x>',
        wrap(node("start", "s")).replace(
            b'<?xml version="1.0"?>', b'<!DOCTYPE definitions [<!ENTITY a "b">]>'
        ),
        wrap(),
        wrap().replace(b'<process id="p"></process>', b""),
    ],
)
def test_unreadable_files_get_an_answer(xml):
    result = report(xml)
    assert not result["accepted"]
    assert result["unsupported"][0]["message"]
    json.dumps(result)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_report_never_raises(xml):
    assert report(xml)["accepted"] is False


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(STANDARD), st.data())
def test_report_survives_missing_attributes_and_elements(name, data):
    root = etree.fromstring((FLOWS / f"{name}.bpmn").read_bytes())
    for _ in range(3):
        element = data.draw(st.sampled_from([e for e in root.iter() if isinstance(e.tag, str)]))
        if element.attrib and data.draw(st.booleans()):
            del element.attrib[data.draw(st.sampled_from(sorted(element.attrib)))]
        elif element.getparent() is not None:
            element.getparent().remove(element)
    result = report(etree.tostring(root))
    json.dumps(result)
    assert result["accepted"] or result["unsupported"]


def test_bad_feel_names_the_flow_the_text_and_the_position():
    xml = wrap(
        *[node("start", "s"), node("xor", "x"), node("end", "e"), node("end", "e2")],
        flows("s x", "x e: ${ok}", "x e2: a >"),
    )
    with pytest.raises(FlowRejected) as caught:
        compile_bpmn(xml)
    first, second = caught.value.problems
    assert first.id == "f_x_e" and "${ok}" in first.message and "第 1 个字符" in first.message
    assert second.id == "f_x_e2"


def test_a_leading_equals_sign_marks_feel_in_other_tools():
    graph = build(node("start", "s"), node("xor", "x"), node("end", "e"), flows("s x", "x e: = a > 1"))
    assert graph.processes["p"].flows["f_x_e"].condition == "a > 1"


def test_everything_without_effect_is_tolerated():
    before = (
        '<collaboration id="c"><participant id="pa" processRef="p"/>'
        '<messageFlow id="mf" sourceRef="u" targetRef="pa"/>'
        '</collaboration><itemDefinition id="i"/><signal id="sig"/><dataStore id="ds"/>'
    )
    xml = wrap(
        '<laneSet id="ls"><lane id="l"><flowNodeRef>u</flowNodeRef></lane></laneSet>',
        '<dataObject id="d"/><dataObjectReference id="dr" dataObjectRef="d"/><dataStoreReference id="dsr"/>',
        '<textAnnotation id="t"><text>注</text></textAnnotation>',
        '<association id="as" sourceRef="u" targetRef="t"/>',
        '<documentation>说明</documentation><group id="g"/><!-- 注 -->',
        node("start", "s"),
        node(
            "user",
            "u",
            '<extensionElements><x:y xmlns:x="urn:x"/></extensionElements>'
            '<ioSpecification id="io"><inputSet/>'
            '</ioSpecification><potentialOwner id="po"/><dataInputAssociation id="dia"/>',
        ),
        node("end", "e"),
        flows("s u", "u e"),
        before=before,
    )
    result = report(xml)
    assert result == {"accepted": True, "unsupported": [], "nodes": 3, "sequence_flows": 2, "findings": []}


def test_counts_cover_every_process_and_level():
    inner = node("start", "is") + node("end", "ie") + flows("is ie")
    xml = wrap(
        *[node("start", "s"), node("subProcess", "sub", inner), node("end", "e"), flows("s sub", "sub e")],
        *[node("boundary", "b", event("error"), attachedToRef="sub"), node("end", "e2"), flows("b e2")],
        *["</process><process id='q'>", node("start", "qs"), node("scriptTask", "qt"), flows("qs qt")],
    )
    result = report(xml)
    assert (result["nodes"], result["sequence_flows"]) == (9, 5)
    assert [p["id"] for p in result["unsupported"]] == ["qt"]


def test_duplicate_and_missing_ids_and_ends():
    xml = wrap(
        node("start", "s"), node("user", "s"), "<userTask/>", flows("s nowhere"), '<sequenceFlow id="f"/>'
    )
    messages = [p["message"] for p in report(xml)["unsupported"]]
    assert any("用了两次" in m for m in messages)
    assert any("没有 id" in m for m in messages)
    assert any("「nowhere」不存在" in m for m in messages)
    assert any("没有起点" in m for m in messages)


@pytest.mark.parametrize("name", STANDARD)
def test_standard_flows_compile_and_are_sound(name):
    xml = (FLOWS / f"{name}.bpmn").read_bytes()
    graph = compile_bpmn(xml)
    assert graph.main == name.replace(".", "_")
    assert check(graph) == []
    assert Graph.from_json(json.loads(json.dumps(graph.to_json()))) == graph
    root = etree.fromstring(xml)
    drawn = {e.get("bpmnElement") for e in root.iter() if str(e.tag).endswith(("BPMNShape", "BPMNEdge"))}
    process = graph.processes[graph.main]
    assert drawn == set(process.nodes) | set(process.flows)


def test_extensions_are_kept():
    graph = compile_bpmn((FLOWS / "std.promise.bpmn").read_bytes())
    accept = graph.processes[graph.main].nodes["accept"]
    assert accept.ext == {"role": "acceptor", "form": "accept", "milestone": "received"}
    assert accept.outcomes == (
        Outcome("accept", "予以受理", "acceptance", "none"),
        Outcome("refuse", "不予受理", "non_acceptance", "required"),
    )

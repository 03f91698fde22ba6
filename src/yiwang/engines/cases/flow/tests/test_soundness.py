"""What the search finds, and what it lets pass."""

import random

import pytest

from yiwang.engines.cases.flow import compile_bpmn, soundness
from yiwang.engines.cases.flow.soundness import check
from yiwang.engines.cases.flow.tests.help import TIMER, build, flows, node
from yiwang.engines.cases.flow.tests.petri import Maker


def kinds(graph, **options):
    return {(finding.kind, finding.node) for finding in check(graph, **options)}


def diamond(split, join, *more):
    return build(
        *[node("start", "s"), node(split, "x"), node("user", "a"), node("user", "b"), node(join, "j")],
        *[node("user", "z"), node("end", "e"), *more],
        flows("s x", "x a: v", "x b: not(v)", "a j", "b j", "j z", "z e"),
    )


def test_exclusive_split_into_parallel_join_is_a_deadlock():
    finding = check(diamond("xor", "and"))[0]
    assert (finding.kind, finding.node) == ("deadlock", "j")
    assert "f_a_j" in finding.message or "f_b_j" in finding.message


def test_inclusive_split_into_parallel_join_is_a_deadlock():
    assert ("deadlock", "j") in kinds(diamond("or", "and"))


@pytest.mark.parametrize("pair", [("xor", "xor"), ("and", "and"), ("or", "or"), ("and", "or"), ("xor", "or")])
def test_matching_pairs_are_sound(pair):
    assert kinds(diamond(*pair)) == set()


def test_parallel_split_without_join_repeats():
    assert ("repeated", "z") in kinds(diamond("and", "xor"))


def test_unreachable_node_and_dead_end():
    graph = diamond("xor", "xor", node("user", "island"), node("end", "shore"), flows("island shore"))
    # A node without incoming flow starts only when there is no start event.
    assert kinds(graph) == {("unreachable", "island"), ("unreachable", "shore")}
    graph = build(node("start", "s"), node("user", "a"), flows("s a"))
    assert kinds(graph) == {("dead-end", "a")}


def test_loop_without_a_way_out():
    graph = build(
        *[node("start", "s"), node("user", "a"), node("user", "b"), node("end", "e"), node("xor", "m")],
        flows("s m", "m a", "a b", "b m"),
    )
    found = kinds(graph)
    assert ("cannot-finish", "a") in found
    assert ("unreachable", "e") in found


def test_loop_that_multiplies_tokens():
    graph = build(
        *[node("start", "s"), node("xor", "m"), node("user", "a"), node("and", "f"), node("user", "b")],
        *[node("end", "e"), flows("s m", "m a", "a f", "f m", "f b", "b e")],
    )
    assert {kind for kind, _ in kinds(graph)} & {"unbounded", "repeated"}


def test_mismatched_join_in_a_loop():
    graph = build(
        *[node("start", "s"), node("and", "f"), node("user", "a"), node("user", "b"), node("xor", "x")],
        *[node("xor", "m"), node("and", "j"), node("end", "e"), node("and", "g")],
        flows("s f", "f m", "f b", "m a", "a g", "g x", "g j", "x m: v", "x j2: not(v)", "b j", "j e"),
        node("end", "j2"),
    )
    assert "mismatched-join" in {kind for kind, _ in kinds(graph)}


def test_automatic_endless_loop():
    graph = build(node("start", "s"), node("xor", "m"), node("xor", "n"), flows("s m", "m n", "n m"))
    assert "livelock" in {kind for kind, _ in kinds(graph)}


def test_boundaries_events_errors_and_terminate_are_followed():
    inner = node("start", "is") + node("user", "i") + node("end", "ie") + flows("is i", "i ie")
    graph = build(
        *[node("start", "s"), node("subProcess", "sub", inner), node("user", "after"), node("end", "e")],
        *[node("boundary", "b", "<errorEventDefinition/>", attachedToRef="sub"), node("user", "mend")],
        *[node("boundary", "t", TIMER, attachedToRef="sub", cancelActivity="false"), node("user", "remind")],
        *[node("event", "g"), node("catch", "c", TIMER), node("catch", "d", TIMER), node("end", "e2")],
        *[node("end", "stop", "<terminateEventDefinition/>"), node("end", "e3")],
        flows(
            "s sub", "sub after", "after g", "g c", "g d", "c e", "d stop", "b mend", "mend e2", "t remind"
        ),
        flows("remind e3"),
    )
    assert kinds(graph) == set()


def test_gaps_in_the_drawing():
    empty = "<timerEventDefinition/>"
    graph = build(
        *[
            node("start", "s"),
            node("xor", "x"),
            node("catch", "c", empty),
            node("end", "e"),
            node("end", "e2"),
        ],
        *[
            node("user", "u", "<multiInstanceLoopCharacteristics/>"),
            flows("s x", "x c", "x u", "c e", "u e2"),
        ],
    )
    assert kinds(graph) == {("no-condition", "x"), ("no-timer", "c"), ("no-collection", "u")}


def wide(branches, join="and"):
    parts = [node("start", "s"), node("and", "f"), node(join, "j"), node("end", "e")]
    arrows = ["s f", "j e"]
    for i in range(branches):
        parts += [node("user", f"a{i}"), node("user", f"b{i}")]
        arrows += [f"f a{i}", f"a{i} b{i}", f"b{i} j"]
    return build(*parts, flows(*arrows))


def test_the_bound_gives_undecided():
    assert kinds(wide(8, join="or"), limit=200) == {("undecided", "")}


def test_many_parallel_departments_are_decided():
    # 3^20 states, of which two tasks in a row and one branch tell as much.
    assert kinds(wide(20)) == set()


def test_the_reduced_flow_has_the_same_faults(monkeypatch):
    """On random flows, most of them broken by changing the kind of a gateway."""
    broken = 0
    for seed in range(180):
        xml = Maker(seed, inclusive=False).make(depth=3)[0].decode()
        chance = random.Random(seed)
        old, new = chance.sample(["exclusiveGateway", "parallelGateway"], 2)
        places = [i for i in range(len(xml)) if xml.startswith(f'<{old} id="j', i)]
        if places:
            place = chance.choice(places)
            xml = xml[:place] + xml[place:].replace(old, new, 1)
        graph = compile_bpmn(xml.encode())
        reduced = kinds(graph, limit=4000)
        with monkeypatch.context() as patch:
            patch.setattr(soundness, "shrink", lambda graph: graph)
            full = kinds(graph, limit=4000)
        if ("undecided", "") not in full | reduced:
            assert {kind for kind, _ in reduced} == {kind for kind, _ in full}, seed
            broken += bool(full)
    assert broken > 40

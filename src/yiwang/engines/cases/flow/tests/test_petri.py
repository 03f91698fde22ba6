"""The machine against the Petri-net oracle on random flows, with random completion order."""

import random
from collections import Counter

import pytest

from yiwang.engines.cases.flow import EMPTY, Complete, Start, advance, compile_bpmn
from yiwang.engines.cases.flow.soundness import check
from yiwang.engines.cases.flow.tests.petri import Maker

LONGEST = 40


def play(seed, inclusive):
    """Steps played; every marking is compared."""
    xml, net = Maker(seed, inclusive).make()
    chance = random.Random(seed + 1)
    data = {f"v{i}": chance.randint(0, 3) for i in range(5)} | {"step": 0}
    graph = compile_bpmn(xml)
    step = advance(graph, EMPTY, Start(), data)
    net.fire_all(data)
    for count in range(1, LONGEST):
        waiting = [token for token in step.state.tokens.values() if token.kind == "user"]
        assert Counter(token.node for token in waiting) == net.active(), f"seed {seed}, step {count}"
        assert step.done == net.done(), f"seed {seed}, step {count}"
        if step.done:
            return count
        token = chance.choice(waiting)
        data["step"] = count
        step = advance(graph, step.state, Complete(token.id), data)
        net.complete(token.node, data)
    return LONGEST


@pytest.mark.parametrize(("inclusive", "seeds"), [(False, range(2000)), (True, range(10_000, 10_700))])
def test_machine_agrees_with_the_net(inclusive, seeds):
    steps = sum(play(seed, inclusive) for seed in seeds)
    assert steps > 5 * len(seeds)


def test_block_structured_flows_are_sound():
    for seed in range(40):
        graph = compile_bpmn(Maker(seed, inclusive=seed % 4 == 0).make(depth=3)[0])
        assert {finding.kind for finding in check(graph, 3000)} <= {"undecided"}, seed

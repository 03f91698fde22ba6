"""An oracle: random block-structured flows as BPMN text, and the same flows as Petri nets.

Written from Petri-net semantics alone (places, transitions, enabled, fire); shares no code with the
machine. Places are sequence flows and, for each task, "being worked on". An inclusive block is played as
block semantics: every branch not chosen hands a token straight to the join.
"""

import random
from collections import Counter

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:yw="urn:yiwang:bpmn:1"'
    ' targetNamespace="t">'
)


class Net:
    """`automatic`: (input places, outputs by data). `tasks`: name → (input, output)."""

    def __init__(self):
        self.automatic = []
        self.tasks = {}
        self.marking = Counter(["begin"])

    def fire_all(self, data):
        moved = True
        while moved:
            moved = False
            for inputs, outputs in self.automatic:
                if all(self.marking[place] > 0 for place in inputs):
                    self.marking.subtract(inputs)
                    self.marking.update(outputs(data))
                    moved = True

    def complete(self, task, data):
        place, output = self.tasks[task]
        assert self.marking[place] > 0
        self.marking[place] -= 1
        self.marking[output] += 1
        self.fire_all(data)

    def active(self):
        return Counter(
            {task: self.marking[place] for task, (place, _) in self.tasks.items() if self.marking[place]}
        )

    def done(self):
        return +self.marking == Counter(["over"])


class Maker:
    """Makes a random flow twice: XML and net. Each block is a function of its input and output place."""

    def __init__(self, seed, inclusive):
        self.random = random.Random(seed)
        self.inclusive = inclusive
        self.net = Net()
        self.count = 0
        self.xml = [[]]

    def name(self, prefix):
        self.count += 1
        return f"{prefix}{self.count}"

    def element(self, kind, name, **attributes):
        text = "".join(f' {key}="{value}"' for key, value in attributes.items())
        self.xml[-1].append(f'<{kind} id="{name}"{text}/>')

    def flow(self, name, source, target, condition=None):
        inside = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
        self.xml[-1].append(
            f'<sequenceFlow id="{name}" sourceRef="{source}" targetRef="{target}">{inside}</sequenceFlow>'
        )

    def auto(self, inputs, outputs):
        self.net.automatic.append((inputs, outputs if callable(outputs) else lambda data: outputs))

    def block(self, depth):
        """(first node, last node, input place, output place)"""
        pick = self.random.random()
        if depth == 0 or pick < 0.25:
            return self.task()
        if pick < 0.45:
            return self.sequence(depth)
        if pick < 0.8:
            return self.gateway(depth)
        return self.loop(depth) if pick < 0.92 else self.inside(depth)

    def task(self):
        name = self.name("u")
        self.element("userTask", name)
        self.auto([f"to {name}"], [f"at {name}"])
        self.net.tasks[name] = (f"at {name}", f"from {name}")
        return name, name, f"to {name}", f"from {name}"

    def sequence(self, depth):
        first, second = self.block(depth - 1), self.block(depth - 1)
        self.flow(self.name("f"), first[1], second[0])
        self.auto([first[3]], [second[2]])
        return first[0], second[1], first[2], second[3]

    def gateway(self, depth):
        kinds = ["exclusiveGateway", "parallelGateway"] + ["inclusiveGateway"] * 2 * self.inclusive
        kind = self.random.choice(kinds)
        split, join = self.name("s"), self.name("j")
        branches = [self.block(depth - 1) for _ in range(self.random.randint(2, 3))]
        tests, inputs, outputs = [], [], []
        default = self.name("f")
        for index, branch in enumerate(branches):
            last = index == len(branches) - 1
            variable, bound = self.random.randrange(5), self.random.randint(0, 2)
            condition = None if last or kind == "parallelGateway" else f"v{variable} &gt; {bound}"
            self.flow(default if last else self.name("f"), split, branch[0], condition)
            self.flow(self.name("f"), branch[1], join)
            tests.append(lambda data, v=variable, b=bound: data[f"v{v}"] > b)
            inputs.append(branch[2])
            outputs.append(branch[3])
        self.element(kind, split, **({} if kind == "parallelGateway" else {"default": default}))
        self.element(kind, join)
        begin, end = f"to {split}", f"from {join}"
        if kind == "parallelGateway":
            self.auto([begin], inputs)
            self.auto(outputs, [end])
        elif kind == "exclusiveGateway":
            self.auto([begin], lambda data: [inputs[chosen(tests, data)[0]]])
            for output in outputs:
                self.auto([output], [end])
        else:

            def spread(data):
                taken = chosen(tests, data)
                return [inputs[i] if i in taken else outputs[i] for i in range(len(inputs))]

            self.auto([begin], spread)
            self.auto(outputs, [end])
        return split, join, begin, end

    def loop(self, depth):
        merge, split = self.name("l"), self.name("x")
        body = self.block(depth - 1)
        after = self.task()
        limit, leave = self.random.randint(2, 12), self.name("f")
        self.element("exclusiveGateway", merge)
        self.element("exclusiveGateway", split, default=leave)
        self.flow(self.name("f"), merge, body[0])
        self.flow(self.name("f"), body[1], split)
        self.flow(self.name("f"), split, merge, f"step &lt; {limit}")
        self.flow(leave, split, after[0])
        self.auto([f"to {merge}"], [body[2]])
        self.auto([body[3]], lambda data: [body[2] if data["step"] < limit else after[2]])
        return merge, after[1], f"to {merge}", after[3]

    def inside(self, depth):
        name, start, end = self.name("p"), self.name("b"), self.name("e")
        self.xml.append([])
        body = self.block(depth - 1)
        self.element("startEvent", start)
        self.element("endEvent", end)
        self.flow(self.name("f"), start, body[0])
        self.flow(self.name("f"), body[1], end)
        inner = "".join(self.xml.pop())
        self.xml[-1].append(f'<subProcess id="{name}">{inner}</subProcess>')
        return name, name, body[2], body[3]

    def make(self, depth=4):
        """(xml, net)"""
        body = self.block(depth)
        self.element("startEvent", "start")
        self.element("endEvent", "end")
        self.flow(self.name("f"), "start", body[0])
        self.flow(self.name("f"), body[1], "end")
        self.auto(["begin"], [body[2]])
        self.auto([body[3]], ["over"])
        return f'{HEAD}<process id="p">{"".join(self.xml[0])}</process></definitions>'.encode(), self.net


def chosen(tests, data):
    """Branches whose condition holds; the last is the default."""
    return [i for i, test in enumerate(tests[:-1]) if test(data)] or [len(tests) - 1]

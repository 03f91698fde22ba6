"""From BPMN 2.0 XML to a `Graph`; anything executable that is not supported is refused by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from yiwang.engines.cases.flow.elements import (
    DEFINITIONS,
    EVENT_NAMES,
    EVENTS,
    FLOW_NODES,
    SUPPORTED,
    TOLERATED,
    UNSUPPORTED,
)
from yiwang.engines.cases.flow.graph import (
    ACTIVITIES,
    Graph,
    Multi,
    Node,
    Outcome,
    Process,
    SequenceFlow,
    Timer,
)
from yiwang.engines.cases.flow.xml import BPMN, YW, NotBpmn, read, tag, text, true
from yiwang.kernel.feel import FeelSyntaxError, parse


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a flow is refused: the BPMN element's name, its id and name, and what to do about it."""

    element: str
    id: str
    name: str
    message: str


class FlowRejected(ValueError):
    """The flow cannot be published."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("；".join(problem.message for problem in self.problems))


def compile_bpmn(xml: bytes) -> Graph:
    """The graph of a BPMN 2.0 file (OMG formal/2013-12-09). Diagram interchange is ignored.

    Raises:
        FlowRejected: the file cannot be read or uses what is not supported; names every element concerned.
    """
    try:
        root = read(xml)
    except NotBpmn as error:
        raise FlowRejected([Problem("definitions", "", "", str(error))]) from None
    compiler = _Compiler(root)
    graph = compiler.compile()
    if compiler.problems:
        raise FlowRejected(compiler.problems)
    return graph


def report(xml: bytes) -> dict[str, Any]:
    """What `yiwang flow check FILE --json` prints; never raises.

    Returns:
        accepted; unsupported: the problems; nodes and sequence_flows: how many the whole file has, boundary
        events and the insides of sub-processes included; findings: of the soundness check, when accepted.
    """
    from yiwang.engines.cases.flow.soundness import check  # it needs the machine, which needs nothing of this

    result: dict[str, Any] = {
        "accepted": False,
        "unsupported": [],
        "nodes": 0,
        "sequence_flows": 0,
        "findings": [],
    }
    try:
        root = read(xml)
        names = [tag(element) for element in root.iter()]
        result["nodes"] = sum(name in FLOW_NODES for name in names)
        result["sequence_flows"] = names.count("sequenceFlow")
        graph = compile_bpmn(xml)
    except NotBpmn as error:
        result["unsupported"] = [asdict(Problem("definitions", "", "", str(error)))]
    except FlowRejected as error:
        result["unsupported"] = [asdict(problem) for problem in error.problems]
    else:
        result["accepted"] = True
        result["findings"] = [asdict(finding) for finding in check(graph)]
    return result


class _Compiler:
    def __init__(self, root: Any) -> None:
        self.root = root
        self.problems: list[Problem] = []
        self.processes: dict[str, Process] = {}
        self.called: list[tuple[Any, str]] = []
        self.messages = {e.get("id"): e.get("name") or e.get("id") for e in root.iter(BPMN + "message")}
        self.errors = {
            e.get("id"): e.get("errorCode") or e.get("name") or e.get("id") for e in root.iter(BPMN + "error")
        }
        # Data elements by id: `loopDataInputRef` may point at one instead of naming it.
        self.data: dict[str, str] = {}
        for element in root.iter():
            if tag(element) in ("dataInput", "dataObject", "dataObjectReference", "property"):
                self.data[element.get("id") or ""] = element.get("name") or element.get("id") or ""
        self.definitions = {e.get("id"): e for e in root if tag(e).endswith("EventDefinition")}

    def problem(self, element: Any, message: str, kind: str | None = None) -> None:
        """Note a problem; `message` follows the element's name."""
        name = element.get("name") or ""
        label = name or element.get("id") or tag(element)
        self.problems.append(
            Problem(kind or tag(element), element.get("id") or "", name, f"「{label.strip()}」：{message}")
        )

    def compile(self) -> Graph:
        processes = [element for element in self.root if tag(element) == "process"]
        for element in self.root:
            if tag(element) in UNSUPPORTED:
                self.problem(element, UNSUPPORTED[tag(element)])
        if not processes:
            self.problems.append(
                Problem("definitions", "", "", "文件里没有流程（process），请画一个流程再导出")
            )
        self._unique()
        main = ""
        for element in processes:
            process = self._scope(element, element.get("id") or "", element.get("name") or "")
            runs = true(element, "isExecutable") and not true(
                self._main_element(processes, main), "isExecutable"
            )
            if process.nodes and (not main or runs):
                main = process.id
        if processes and not main and not self.problems:
            self.problem(processes[0], "流程是空的，请至少画出开始、任务和结束", "process")
        for element, target in self.called:
            if target not in self.processes:
                self.problem(element, f"调用的流程「{target}」不在这个文件里，请一并画出或改为子流程")
        return Graph(main, self.processes)

    def _main_element(self, processes: list[Any], main: str) -> Any:
        return next((element for element in processes if element.get("id") == main), self.root)

    def _unique(self) -> None:
        seen: set[str] = set()
        for element in self.root.iter():
            if tag(element) in FLOW_NODES or tag(element) in ("sequenceFlow", "process"):
                identifier = element.get("id")
                if not identifier:
                    self.problem(element, f"{tag(element)} 没有 id，请用建模工具重新导出")
                elif identifier in seen:
                    self.problem(element, f"id「{identifier}」用了两次，请改成不同的")
                seen.add(identifier)

    # A scope: a process or the inside of a sub-process

    def _scope(self, element: Any, path: str, name: str) -> Process:
        nodes: dict[str, dict[str, Any]] = {}
        flows: dict[str, SequenceFlow] = {}
        elements: dict[str, Any] = {}
        for child in element:
            kind = tag(child)
            if kind in SUPPORTED:
                identifier = child.get("id") or ""
                elements[identifier] = child
                nodes[identifier] = self._node(child, path)
            elif kind in UNSUPPORTED:
                self.problem(child, UNSUPPORTED[kind])
                self._inside(child)
            elif kind == "sequenceFlow":
                flow = self._flow(child)
                flows[flow.id] = flow
                elements[flow.id] = child
            elif kind and kind not in TOLERATED:
                self.problem(child, f"不支持 {kind}，请删去")
        self._connect(element, nodes, flows, elements)
        built = {identifier: Node(**values) for identifier, values in nodes.items()}
        process = Process(path, name, built, flows, self._starts(element, built, elements))
        self.processes[path] = process
        for node in built.values():
            self._check(node, process, elements)
        return process

    def _inside(self, element: Any) -> None:
        """Problems inside a refused sub-process are reported as well, so that they are mended in one go."""
        if tag(element) in ("transaction", "adHocSubProcess"):
            self._scope(element, f"?/{element.get('id')}", "")

    def _connect(self, scope: Any, nodes: Any, flows: dict[str, SequenceFlow], elements: Any) -> None:
        refused = {child.get("id") for child in scope if tag(child) in UNSUPPORTED}
        for flow in list(flows.values()):
            ends = (("起点", flow.source), ("终点", flow.target))
            for word, end in ends:
                if not end or (end not in nodes and end not in refused):
                    self.problem(elements[flow.id], self._astray(word, end), "sequenceFlow")
            if flow.source in nodes and flow.target in nodes:
                nodes[flow.source]["outgoing"] += (flow.id,)
                nodes[flow.target]["incoming"] += (flow.id,)
            else:
                del flows[flow.id]
        for identifier, values in nodes.items():
            host = values["attached"]
            if values["type"] != "boundaryEvent":
                continue
            if host in nodes and nodes[host]["type"] in ACTIVITIES:
                nodes[host]["boundary"] += (identifier,)
            elif host not in refused:
                self.problem(
                    elements[identifier], f"边界事件所附的「{host or '（空）'}」不是同一层的活动，请重新放置"
                )

    def _astray(self, word: str, end: str) -> str:
        if not end:
            return f"连线没有{word}，请重新连接"
        for element in self.root.iter():
            if element.get("id") == end and tag(element) in FLOW_NODES:
                return f"连线的{word}「{element.get('name') or end}」在另一层，连线不能跨越流程或子流程的边界"
        return f"连线的{word}「{end}」不存在，请重新连接"

    def _starts(self, scope: Any, nodes: dict[str, Node], elements: dict[str, Any]) -> tuple[str, ...]:
        starts = [node for node in nodes.values() if node.type == "startEvent"]
        if tag(scope) != "process":
            for node in starts:
                if node.event:
                    self.problem(elements[node.id], "子流程里的开始事件不能带消息或定时，请改为普通开始事件")
            if len(starts) > 1:
                self.problem(scope, "子流程有几个开始事件，只能有一个")
        if starts:
            return tuple(node.id for node in starts)
        # BPMN 2.0.2 §13.3.2 (no start event): every node without incoming flow starts.
        return tuple(
            node.id
            for node in nodes.values()
            if not node.incoming and node.type != "boundaryEvent" and not _compensates(elements[node.id])
        )

    # Elements

    def _node(self, element: Any, path: str) -> dict[str, Any]:
        kind, identifier = tag(element), element.get("id") or ""
        values: dict[str, Any] = {
            "id": identifier,
            "type": kind,
            "name": (element.get("name") or identifier).strip(),
            "incoming": (),
            "outgoing": (),
            "boundary": (),
            "default": element.get("default"),
            "attached": element.get("attachedToRef"),
            "interrupting": true(element, "cancelActivity", True) if kind == "boundaryEvent" else True,
            "ext": {key[len(YW) :]: value for key, value in element.attrib.items() if key.startswith(YW)},
            "outcomes": self._outcomes(element),
        }
        if kind in EVENTS:
            values.update(self._event(element))
        if kind in ACTIVITIES:
            values["multi"] = self._multi(element)
            if _compensates(element):
                self.problem(element, "补偿活动不支持，请改用错误边界事件或单独的流程", "compensation")
            if element.find(BPMN + "standardLoopCharacteristics") is not None:
                message = "标准循环不支持，请用排他网关连回前面，或用多实例"
                self.problem(element, message, "standardLoopCharacteristics")
        if kind == "receiveTask":
            values["ref"] = self._message(element) or values["name"]
        if kind == "subProcess":
            if true(element, "triggeredByEvent"):
                self.problem(element, "事件子流程不支持，请改用边界事件", "eventSubProcess")
            values["called"] = f"{path}/{identifier}"
            self._scope(element, values["called"], values["name"])
        if kind == "callActivity" and values["ext"].get("case") != "children":
            values["called"] = (element.get("calledElement") or "").rpartition(":")[2]
            if not values["called"]:
                self.problem(
                    element, '没有写明调用哪个流程（calledElement），或写 yw:case="children" 由子办件办理'
                )
            else:
                self.called.append((element, values["called"]))
        if kind == "eventBasedGateway" and true(element, "instantiate"):
            self.problem(element, "不能用事件网关启动流程，请改用消息开始事件")
        return values

    def _message(self, element: Any) -> str | None:
        reference = element.get("messageRef")
        return None if not reference else self.messages.get(reference) or reference.rpartition(":")[2]

    def _outcomes(self, element: Any) -> tuple[Outcome, ...]:
        outcomes: list[Outcome] = []
        extension = element.find(BPMN + "extensionElements")
        for one in () if extension is None else extension.iter(YW + "outcome"):
            code, reason = one.get("code") or "", one.get("reason") or "none"
            if not code:
                self.problem(element, "办理结果（yw:outcome）没有 code，请补上", "yw:outcome")
            if code in {outcome.code for outcome in outcomes}:
                self.problem(element, f"办理结果「{code}」写了两次，请删去一个", "yw:outcome")
            if reason not in ("required", "optional", "none"):
                message = f"办理结果「{code}」的 reason 是「{reason}」，应为 required、optional 或 none"
                self.problem(element, message, "yw:outcome")
            outcomes.append(Outcome(code, one.get("name") or code, one.get("document"), reason))
        return tuple(outcomes)

    def _event(self, element: Any) -> dict[str, Any]:
        found = [child for child in element if tag(child).endswith("EventDefinition")]
        for reference in element.findall(BPMN + "eventDefinitionRef"):
            target = self.definitions.get((reference.text or "").strip().rpartition(":")[2])
            if target is None:
                self.problem(element, f"引用的事件定义「{reference.text}」不存在")
            else:
                found.append(target)
        if len(found) > 1:
            self.problem(element, "一个事件只能有一个定义，请拆成几个事件", "multipleEventDefinition")
            return {}
        kind = tag(found[0])[: -len("EventDefinition")] if found else None
        if kind not in DEFINITIONS[tag(element)]:
            label = EVENT_NAMES.get(kind, kind)
            message = f"{label}事件在这里不支持（{tag(element)}），请改用定时、消息或错误事件"
            self.problem(element, message, f"{kind}EventDefinition" if kind else tag(element))
            return {}
        values: dict[str, Any] = {"event": kind}
        if kind == "timer":
            values["timer"] = self._timer(element, found[0])
        elif kind == "message":
            values["ref"] = self._message(found[0]) or element.get("name") or element.get("id")
        elif kind == "error":
            reference = found[0].get("errorRef")
            values["ref"] = self.errors.get(reference, reference)
        return values

    def _timer(self, element: Any, definition: Any) -> Timer | None:
        for child in definition:
            if tag(child) in ("timeDuration", "timeDate", "timeCycle"):
                return Timer(tag(child), text(child) or "")
        return Timer("timeDuration", "")

    def _multi(self, element: Any) -> Multi | None:
        loop = element.find(BPMN + "multiInstanceLoopCharacteristics")
        if loop is None:
            return None
        reference = text(loop.find(BPMN + "loopDataInputRef"))
        collection = loop.get(YW + "collection") or self.data.get(reference or "", reference)
        item = loop.find(BPMN + "inputDataItem")
        name = loop.get(YW + "item") or (None if item is None else item.get("name"))
        return Multi(
            sequential=true(loop, "isSequential"),
            collection=self._feel(element, collection),
            cardinality=self._feel(element, text(loop.find(BPMN + "loopCardinality"))),
            item=name or "item",
            completion=self._feel(element, text(loop.find(BPMN + "completionCondition"))),
        )

    def _flow(self, element: Any) -> SequenceFlow:
        condition = self._feel(element, text(element.find(BPMN + "conditionExpression")))
        return SequenceFlow(
            element.get("id") or "",
            element.get("sourceRef") or "",
            element.get("targetRef") or "",
            condition,
            element.get("name"),
        )

    def _feel(self, element: Any, source: str | None) -> str | None:
        if not source:
            return None
        source = source.removeprefix("=").strip()  # other tools mark FEEL with a leading "="
        try:
            parse(source)
        except FeelSyntaxError as error:
            message = f"条件「{source}」不是 FEEL 表达式：{error.message}（第 {error.position + 1} 个字符处）"
            self.problem(element, message)
        return source

    # Rules between neighbours

    def _check(self, node: Node, process: Process, elements: dict[str, Any]) -> None:
        element = elements[node.id]
        if node.default is not None and node.default not in node.outgoing:
            self.problem(element, f"默认连线「{node.default}」不从这里流出，请重新指定")
        if node.type == "startEvent" and node.incoming:
            self.problem(element, "开始事件不能有流入的连线")
        if node.type == "endEvent" and node.outgoing:
            self.problem(element, "结束事件不能有流出的连线")
        if node.type == "boundaryEvent" and node.incoming:
            self.problem(element, "边界事件不能有流入的连线")
        if node.type != "eventBasedGateway":
            return
        for flow in node.outgoing:
            target = process.nodes[process.flows[flow].target]
            if target.type not in ("intermediateCatchEvent", "receiveTask"):
                self.problem(
                    element, f"事件网关后面只能是定时、消息捕获事件或接收任务，「{target.name}」不是"
                )


def _compensates(element: Any) -> bool:
    return true(element, "isForCompensation")

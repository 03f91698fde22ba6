"""Which elements of BPMN 2.0 a flow may have, and what is said of the others."""

from yiwang.engines.cases.flow.graph import ACTIVITIES, GATEWAYS

EVENTS = frozenset(
    ("startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent")
)
SUPPORTED = ACTIVITIES | GATEWAYS | EVENTS
UNSUPPORTED = {
    "scriptTask": "脚本任务不支持：流程包里不放代码，请改用服务任务或业务规则任务",
    "transaction": "事务子流程不支持，请改用普通子流程和错误边界事件",
    "adHocSubProcess": "即席子流程不支持，请画明顺序",
    "complexGateway": "复杂网关不支持，请改用排他、并行或包容网关",
    "choreographyTask": "编排任务不支持",
    "subChoreography": "子编排不支持",
    "callChoreography": "调用编排不支持",
    "choreography": "编排图不支持，请改画流程",
    "globalChoreographyTask": "编排图不支持，请改画流程",
    "globalScriptTask": "脚本任务不支持：流程包里不放代码",
}
FLOW_NODES = SUPPORTED | frozenset(
    {
        "scriptTask", "transaction", "adHocSubProcess", "complexGateway", "choreographyTask", "subChoreography",
        "callChoreography", "implicitThrowEvent",
    }
)  # fmt: skip
# Allowed event definitions for each event; None is the plain event.
DEFINITIONS: dict[str, frozenset[str | None]] = {
    "startEvent": frozenset((None, "message", "timer")),
    "endEvent": frozenset((None, "message", "terminate", "error")),
    "intermediateCatchEvent": frozenset(("message", "timer")),
    "intermediateThrowEvent": frozenset((None, "message")),
    "boundaryEvent": frozenset(("message", "timer", "error")),
}
EVENT_NAMES = {
    None: "没有定义的",
    "cancel": "取消",
    "compensate": "补偿",
    "conditional": "条件",
    "error": "错误",
    "escalation": "升级",
    "link": "链接",
    "message": "消息",
    "signal": "信号",
    "terminate": "终止",
    "timer": "定时",
}
# Content without effect on execution.
TOLERATED = frozenset(
    {
        "documentation", "extensionElements", "incoming", "outgoing", "laneSet", "ioSpecification", "property",
        "dataObject", "dataObjectReference", "dataStoreReference", "dataInputAssociation", "association",
        "dataOutputAssociation", "textAnnotation", "group", "auditing", "monitoring", "potentialOwner",
        "performer", "humanPerformer", "resourceRole", "supportedInterfaceRef", "ioBinding", "rendering",
        "correlationSubscription", "supports", "multiInstanceLoopCharacteristics", "artifact",
        "completionCondition", "standardLoopCharacteristics",
    }
)  # fmt: skip

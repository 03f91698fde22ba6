"""Flows: BPMN 2.0 compiled to a graph, and the pure machine that runs it. See README.md."""

from yiwang.engines.cases.flow.bpmn import FlowRejected, Problem, compile_bpmn, report
from yiwang.engines.cases.flow.graph import Graph, Multi, Node, Outcome, Process, SequenceFlow, Timer
from yiwang.engines.cases.flow.machine import advance, replay
from yiwang.engines.cases.flow.migrate import MigrationRefused, armed, moved
from yiwang.engines.cases.flow.state import (
    EMPTY,
    Cancel,
    Command,
    CommandRefused,
    Complete,
    Entry,
    FireTimer,
    Message,
    Scope,
    Start,
    State,
    Step,
    ThrowError,
    TimerArmed,
    Token,
)

__all__ = [
    "EMPTY",
    "Cancel",
    "Command",
    "CommandRefused",
    "Complete",
    "Entry",
    "FireTimer",
    "FlowRejected",
    "Graph",
    "Message",
    "MigrationRefused",
    "Multi",
    "Node",
    "Outcome",
    "Problem",
    "Process",
    "Scope",
    "SequenceFlow",
    "Start",
    "State",
    "Step",
    "ThrowError",
    "Timer",
    "TimerArmed",
    "Token",
    "advance",
    "armed",
    "compile_bpmn",
    "moved",
    "replay",
    "report",
]

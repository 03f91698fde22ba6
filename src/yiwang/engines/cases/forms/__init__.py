"""Forms, computed from packs and never drawn. See README.md."""

from yiwang.engines.cases.forms.burden import burden
from yiwang.engines.cases.forms.contracts import (
    Allocation,
    Authority,
    FieldError,
    FormField,
    FormMaterial,
    FormPlan,
    Lookup,
    Origin,
    PlanError,
    Provenance,
    RegisterUnavailable,
    Way,
)
from yiwang.engines.cases.forms.fill import answer, check, choices, conditions, editable, fill, visible
from yiwang.engines.cases.forms.materials import verified
from yiwang.engines.cases.forms.merge import plan
from yiwang.engines.cases.forms.project import (
    LicenceContent,
    allocations,
    authority,
    catalogue_of_told,
    label,
    licence,
    project,
    render,
    show,
    write_backs,
)
from yiwang.engines.cases.forms.validate import clean, validate

__all__ = [
    "Allocation",
    "Authority",
    "FieldError",
    "FormField",
    "FormMaterial",
    "FormPlan",
    "LicenceContent",
    "Lookup",
    "Origin",
    "PlanError",
    "Provenance",
    "RegisterUnavailable",
    "Way",
    "allocations",
    "answer",
    "authority",
    "burden",
    "catalogue_of_told",
    "check",
    "choices",
    "clean",
    "conditions",
    "editable",
    "fill",
    "label",
    "licence",
    "plan",
    "project",
    "render",
    "show",
    "validate",
    "verified",
    "visible",
    "write_backs",
]

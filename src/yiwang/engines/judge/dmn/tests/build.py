"""Small models in a few lines, for the tests beside this file."""

from xml.sax.saxutils import escape, quoteattr

from yiwang.engines.judge.dmn import loads

NAMESPACE = "https://www.omg.org/spec/DMN/20230324/MODEL/"


def xml(*elements, imports="", namespace="urn:test", version=NAMESPACE):
    return (
        f'<definitions xmlns="{version}" name="test" id="test" namespace="{namespace}">'
        f"{imports}{''.join(elements)}</definitions>"
    ).encode()


def model(*elements, **options):
    return loads(xml(*elements, **options))


def _type(type_ref):
    return f" typeRef={quoteattr(type_ref)}" if type_ref else ""


def literal(text, type_ref=None):
    return f"<literalExpression{_type(type_ref)}><text>{escape(text)}</text></literalExpression>"


def given(name, type_ref=None):
    """Input data."""
    return (
        f"<inputData id={quoteattr('i.' + name)} name={quoteattr(name)}>"
        f"<variable name={quoteattr(name)}{_type(type_ref)}/></inputData>"
    )


def _requirements(inputs, decisions, knowledge):
    parts = [
        *(
            f"<informationRequirement><requiredInput href={_href('i', one)}/></informationRequirement>"
            for one in inputs
        ),
        *(
            f"<informationRequirement><requiredDecision href={_href('d', one)}/></informationRequirement>"
            for one in decisions
        ),
        *(
            f"<knowledgeRequirement><requiredKnowledge href={_href('k', one)}/></knowledgeRequirement>"
            for one in knowledge
        ),
    ]
    return "".join(parts)


def _href(kind, name):
    """`x` is here; `urn:other#x` elsewhere."""
    namespace, _, bare = name.rpartition("#")
    return quoteattr(f"{namespace}#{kind}.{bare}")


def decision(name, logic, type_ref=None, inputs=(), decisions=(), knowledge=()):
    logic = logic if logic.startswith("<") else literal(logic)
    return (
        f"<decision id={quoteattr('d.' + name)} name={quoteattr(name)}>"
        f"<variable name={quoteattr(name)}{_type(type_ref)}/>"
        f"{_requirements(inputs, decisions, knowledge)}{logic}</decision>"
    )


def parameters(**types):
    return "".join(
        f"<formalParameter name={quoteattr(name)}{_type(type_)}/>" for name, type_ in types.items()
    )


def knowledge_model(name, logic, type_ref=None, knowledge=(), kind="FEEL", **types):
    logic = logic if logic.startswith("<") else literal(logic)
    return (
        f"<businessKnowledgeModel id={quoteattr('k.' + name)} name={quoteattr(name)}>"
        f"<variable name={quoteattr(name)}{_type(type_ref)}/>"
        f'<encapsulatedLogic kind="{kind}">{parameters(**types)}{logic}</encapsulatedLogic>'
        f"{_requirements((), (), knowledge)}</businessKnowledgeModel>"
    )


def service(name, outputs, encapsulated=(), input_decisions=(), inputs=(), type_ref=None):
    def refs(tag, kind, names):
        return "".join(f"<{tag} href={_href(kind, one)}/>" for one in names)

    return (
        f"<decisionService id={quoteattr('k.' + name)} name={quoteattr(name)}>"
        f"<variable name={quoteattr(name)}{_type(type_ref)}/>"
        f"{refs('outputDecision', 'd', outputs)}{refs('encapsulatedDecision', 'd', encapsulated)}"
        f"{refs('inputDecision', 'd', input_decisions)}{refs('inputData', 'i', inputs)}</decisionService>"
    )


def item(
    name, type_ref=None, allowed=None, constraint=None, collection=False, components="", tag="itemDefinition"
):
    def tests(tag, text):
        return f"<{tag}><text>{escape(text)}</text></{tag}>" if text is not None else ""

    return (
        f'<{tag} name={quoteattr(name)} isCollection="{"true" if collection else "false"}">'
        + (f"<typeRef>{type_ref}</typeRef>" if type_ref else "")
        + tests("allowedValues", allowed)
        + tests("typeConstraint", constraint)
        + f"{components}</{tag}>"
    )


def component(name, type_ref=None, **options):
    return item(name, type_ref, tag="itemComponent", **options)


def table(policy, inputs, outputs, rules, aggregation=None):
    """inputs: text or (text, type, values); outputs: name or (name, type, values, default)."""
    parts = [
        f'<decisionTable hitPolicy="{policy}"'
        + (f' aggregation="{aggregation}"' if aggregation else "")
        + ">"
    ]
    for one in inputs:
        text, type_ref, values = (*((one,) if isinstance(one, str) else one), None, None)[:3]
        allowed = f"<inputValues><text>{escape(values)}</text></inputValues>" if values else ""
        parts.append(
            f"<input><inputExpression{_type(type_ref)}><text>{escape(text)}</text></inputExpression>{allowed}</input>"
        )
    for one in outputs:
        name, type_ref, values, default = (*((one,) if isinstance(one, str) else one), None, None, None)[:4]
        inside = f"<outputValues><text>{escape(values)}</text></outputValues>" if values else ""
        inside += (
            f"<defaultOutputEntry><text>{escape(default)}</text></defaultOutputEntry>" if default else ""
        )
        parts.append(f"<output name={quoteattr(name)}{_type(type_ref)}>{inside}</output>")
    for cells in rules:
        row = "".join(f"<inputEntry><text>{escape(c)}</text></inputEntry>" for c in cells[: len(inputs)])
        row += "".join(f"<outputEntry><text>{escape(c)}</text></outputEntry>" for c in cells[len(inputs) :])
        parts.append(f"<rule>{row}</rule>")
    return "".join(parts) + "</decisionTable>"


def context(*entries):
    """Each is (name, logic) or (name, logic, type); an empty name is the result."""
    rows = []
    for name, logic, *type_ref in entries:
        logic = logic if logic.startswith("<") else literal(logic)
        variable = f"<variable name={quoteattr(name)}{_type(*type_ref) if type_ref else ''}/>" if name else ""
        rows.append(f"<contextEntry>{variable}{logic}</contextEntry>")
    return f"<context>{''.join(rows)}</context>"

"""Officials of the demo who do their work in this process; the product's own worker does what follows."""

import time

from yiwang.engines.cases import actions, queries
from yiwang.engines.cases.items import graph
from yiwang.engines.cases.models import Case
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import User
from yiwang.kernel.accounts.queries import actor_of
from yiwang.kernel.ids import new_id

FORWARD = ("accept", "done", "pass", "grant")


def staff():
    """Office → actors of the demo's officials."""
    offices = {}
    with acting(SYSTEM):
        for user in User.objects.exclude(demo_role="").select_related("person"):
            actor = actor_of(user)
            for org in actor.posts:
                offices.setdefault(org, []).append(actor)
    return offices


def open_steps(case_id, only=None):
    """The work that waits for somebody: (case, token, outcomes)."""
    with acting(SYSTEM):
        return [
            (c, t, [o.code for o in graph(c.flow_id).node(t.node).outcomes])
            for c in queries.family(Case.objects.get(id=case_id))
            if only is None or c.ref in only
            for t in c.tokens.filter(kind="user")
        ]


def finish(case_id, only=None, patience=60):
    """Let the officials go forward with everything of (the chosen items of) a case until they are closed."""
    offices, deadline = staff(), time.monotonic() + patience
    while time.monotonic() < deadline:
        for case, token, outcomes in open_steps(case_id, only):
            actor = next(a for a in offices[case.org_id] if a.has_role(case.org_id, token.role))
            outcome = next(code for code in FORWARD if code in outcomes)
            with acting(actor):
                actions.complete(actor, case.id, token.id, outcome, "", new_id())
        with acting(SYSTEM):
            family = queries.family(Case.objects.get(id=case_id))
        if all(c.closed_at for c in family if only is None or c.ref in only):
            return
        time.sleep(0.2)
    raise AssertionError("the officials did not get through")

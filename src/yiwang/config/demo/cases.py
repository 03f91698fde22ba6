"""Cases in every state, made through the same commands that people use."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch
from uuid import UUID

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from yiwang.engines.cases import actions, applying, queries, submitting
from yiwang.engines.cases.models import Case, Draft
from yiwang.engines.cases.ratings import rate
from yiwang.engines.cases.worker import work_once
from yiwang.kernel.access.contracts import Actor
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import Person, User
from yiwang.kernel.accounts.queries import actor_of
from yiwang.kernel.files.api import take
from yiwang.kernel.ids import derived_id, new_id

from .people import Demo

# A white square of 8 × 8, the smallest honest stand-in for a passport photo.
PHOTO = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000008000000080800000000e164e157"
    "0000000e49444154789c63fc0f054c0c5000003c30020104f7ea2d0000000049454e44ae426082"
)


class _Actor:
    """A demo mother who has no sign-in of her own."""

    is_authenticated = True

    def __init__(self, person: Person) -> None:
        self.person, self.id = person, derived_id("demo-user", person.id)


def make(say: Callable[[str], None], everybody: list[Demo]) -> None:
    """One application in each state; the named mothers of the demo are the applicants."""
    say("making sample cases…")
    mothers = [p for p in everybody[:24] if p.sex == "女"][1:]
    offices = _offices()
    _received, supplemented, suspended, extended, decided, denied, refused, withdrawn, finished = (
        apply(p, "宝" + p.name[-1]) for p in mothers[:9]
    )
    draft(mothers[9])
    _supplement(offices, supplemented)
    _to_review(offices, suspended, "ga.hukou.birth")
    _act(
        offices,
        suspended,
        "ga.hukou.birth",
        lambda a, c: actions.suspend(a, c.id, "investigate", "需向助产机构核实", new_id()),
    )
    _to_review(offices, extended, "ga.hukou.birth")
    _act(
        offices,
        extended,
        "ga.hukou.birth",
        lambda a, c: actions.request_extension(a, c.id, "需跨省核实户籍", new_id()),
    )
    finish(offices, decided, only={"ws.birth_cert", "ws.birth_reg", "ga.hukou.birth"})
    finish(offices, denied, only={"ws.birth_cert", "ws.birth_reg"})
    finish(
        offices,
        denied,
        only={"yb.maternity_pay"},
        verdict="deny",
        reason="分娩时生育保险欠缴，不符合报销条件（示例）",
    )
    _act(
        offices, refused, "ws.birth_cert", lambda a, c: _complete(a, c, "refuse", "不属于本机构分娩（示例）")
    )
    with acting(_owner(withdrawn)) as actor:
        actions.withdraw(actor, withdrawn, "名字还没想好", new_id())
    finish(offices, finished)
    with acting(_owner(finished)) as actor:
        rate(actor, Case.objects.get(id=finished), "5", "一趟没跑就办好了")
    before = timezone.now() - timedelta(days=LATE[0] + 2)
    older = (p for p in everybody[24:] if p.gave_birth and timezone.make_aware(p.gave_birth) < before)
    for days, mother in zip(LATE, (p for p in older if p.county == mothers[0].county), strict=False):
        with _days_ago(days):
            late = apply(mother, "宝" + mother.name[-1])
            finish(offices, late, only={"ws.birth_cert", "ws.birth_reg"})
            _act(offices, late, "yb.maternity_pay", lambda a, c: _complete(a, c, "accept"))
    work()


LATE = (21, 14, 7)
"""Days ago that the cases began which a manager finds over their limit, or due today: accepted, then left."""


@contextmanager
def _days_ago(days: int) -> Iterator[None]:
    """What is done within was done some days ago, by the application's clock."""
    real = timezone.now
    with patch.object(timezone, "now", lambda: real() - timedelta(days=days)):
        yield


def work() -> None:
    """Let the worker catch up."""
    while work_once():
        pass


def _offices() -> dict[UUID, list[Actor]]:
    offices: dict[UUID, list[Actor]] = {}
    for user in _as_system(lambda: list(User.objects.exclude(demo_role="").select_related("person"))):
        actor = actor_of(user)
        for org in actor.posts:
            offices.setdefault(org, []).append(actor)
    return offices


def _owner(case_id: UUID) -> Actor:
    return _actor(_as_system(lambda: Draft.objects.get(id=case_id)).subject_id)


def _actor(person_id: UUID) -> Actor:
    return _as_system(lambda: actor_of(_Actor(Person.objects.get(id=person_id))))


def _as_system(read):
    from yiwang.kernel.access.contracts import SYSTEM

    with acting(SYSTEM):
        return read()


def draft(demo: Demo, name: str = "") -> UUID:
    """An application begun."""
    with acting(_actor(demo.id)) as actor:
        return applying.open_draft(actor, "sd.newborn", {}).id


def apply(demo: Demo, child: str) -> UUID:
    """An application handed in: the answers a mother would give."""
    actor = _actor(demo.id)
    with acting(actor):
        found = applying.open_draft(actor, "sd.newborn", {})
        photo = take(actor, demo.id, "照片.png", SimpleUploadedFile("照片.png", PHOTO, "image/png"), found.id)
        values = {
            "child.name": demo.name[0] + child,
            "child.ethnic": "01",
            "child.hukou_with": "随母",
            "mother.births": demo.births,
            "service.card_bank": _first_bank(),
            "service.delivery": "仅电子证照",
        }
        for page in ("baby", "hukou", "parents", "card"):
            found.refresh_from_db()
            uploads = {"photo@child": str(photo.id)} if page == "card" else {}
            applying.save_page(
                actor, found.id, page, values if page == "card" else {}, uploads, found.revision
            )
        case_id = submitting.submit(actor, found.id)
    work()
    return case_id


def _first_bank() -> str:
    from yiwang.kernel.packs import api as packs

    return str(packs.current().get("codelist", "card_banks").data["codes"][0]["code"])


def _child(case_id: UUID, ref: str) -> Case:
    return _as_system(lambda: Case.objects.get(parent_id=case_id, ref=ref))


def _act(offices, case_id: UUID, ref: str, command) -> None:
    case = _child(case_id, ref)
    with acting(offices[case.org_id][0]) as actor:
        command(actor, case)
    work()


def _complete(actor: Actor, case: Case, outcome: str, reason: str = "") -> None:
    token = next(t for t in case.tokens.filter(kind="user") if actor.has_role(case.org_id, t.role))
    actions.complete(actor, case.id, token.id, outcome, reason, new_id())


def _supplement(offices, case_id: UUID) -> None:
    def ask(actor, case):
        token = case.tokens.filter(kind="user").first()
        actions.request_supplement(actor, case.id, token.id, ["mother.births"], "请核对子女数", new_id())

    _act(offices, case_id, "ws.birth_reg", ask)


def _to_review(offices, case_id: UUID, ref: str) -> None:
    finish(offices, case_id, only={"ws.birth_cert"})
    _act(offices, case_id, ref, lambda a, c: _complete(a, c, "accept"))


_FORWARD = ("accept", "pass", "grant")


def finish(
    offices, case_id: UUID, only: set[str] | None = None, verdict: str = "grant", reason: str = ""
) -> None:
    """Let the officials work until nothing of (the chosen items of) the case is left to do."""
    for _round in range(60):
        pending = _as_system(
            lambda: [
                (c, t)
                for c in queries.family(Case.objects.get(id=case_id))
                if only is None or c.ref in only
                for t in c.tokens.filter(kind="user")
            ]
        )
        if not pending:
            return
        case, token = pending[0]
        for actor in offices[case.org_id]:
            if actor.has_role(case.org_id, token.role):
                node = _as_system(lambda case=case, token=token: _outcomes(case, token))
                wanted = verdict if verdict in node else next(o for o in _FORWARD if o in node)
                with acting(actor):
                    actions.complete(actor, case.id, token.id, wanted, reason, new_id())
                break
        work()


def _outcomes(case: Case, token) -> list[str]:
    from yiwang.engines.cases.items import graph

    return [o.code for o in graph(case.flow_id).node(token.node).outcomes]

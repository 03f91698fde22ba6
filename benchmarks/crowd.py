"""Accounts for a benchmark: residents with insurance in some counties, and the officials who serve them."""

import json
import os
import subprocess
import sys
from dataclasses import astuple, dataclass
from datetime import date
from uuid import UUID

ITEM = "yb.insured_proof"
FUNCTION = "医疗保障"


@dataclass(frozen=True)
class Member:
    """Somebody with a token."""

    person_id: UUID
    user_id: UUID
    county: str
    token: str


@dataclass(frozen=True)
class Crowd:
    """Who takes part; ``officials`` by county."""

    residents: list[Member]
    officials: dict[str, list[Member]]
    offices: dict[str, UUID]


def make(residents: int = 400, officials: int = 4) -> Crowd:
    """Give accounts and tokens to so many residents, and to so many officials of each of their offices."""
    from django.db import connections

    from yiwang.kernel.access.contracts import SYSTEM
    from yiwang.kernel.access.session import acting
    from yiwang.kernel.accounts.models import Person, User
    from yiwang.kernel.orgs.models import Post
    from yiwang.kernel.orgs.queries import responsible

    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "select p.id, r.fields->>'cbqh' from registers_record r join accounts_person p on p.idno = r.key"
            " where r.register = 'medical_insurance' and not exists (select 1 from accounts_user u where"
            " u.person_id = p.id) order by p.id limit %s",
            [residents * 2 + 400],
        )
        people = cursor.fetchall()
    with acting(SYSTEM):
        chosen, rest = people[:residents], people[residents:]
        members = [_member(Person.objects.get(id=p), county, User) for p, county in chosen]
        staff: dict[str, list[Member]] = {}
        offices: dict[str, UUID] = {}
        for county in sorted({c for _p, c in chosen}):
            office = responsible(FUNCTION, county)
            offices[county] = office.id
            for _ in range(officials):
                person_id, _county = rest.pop()
                member = _member(Person.objects.get(id=person_id), county, User)
                Post.objects.create(
                    person_id=person_id, org=office, title="受理岗", roles=["acceptor", "reviewer", "decider"],
                    since=date(2020, 1, 1),
                )  # fmt: skip
                staff.setdefault(county, []).append(member)
    return Crowd(members, staff, offices)


def make_in(env: dict[str, str]) -> Crowd:
    """The same in the installation of another environment."""
    run = subprocess.run([sys.executable, __file__], env=env, capture_output=True, text=True, check=True)
    told = json.loads(run.stdout.strip().splitlines()[-1])
    return Crowd(
        [Member(*m) for m in told["residents"]],
        {county: [Member(*m) for m in members] for county, members in told["officials"].items()},
        told["offices"],
    )


def _main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yiwang.config.settings")
    import django

    django.setup()
    print(json.dumps(told_as_json(make()), default=str))


def told_as_json(crowd: Crowd) -> dict:
    """A crowd as JSON: each member as a list."""
    return {
        "residents": [astuple(m) for m in crowd.residents],
        "officials": {county: [astuple(m) for m in ms] for county, ms in crowd.officials.items()},
        "offices": crowd.offices,
    }


def _member(person, county: str, users) -> Member:
    from yiwang.kernel.access.contracts import SYSTEM
    from yiwang.kernel.accounts import tokens

    user = users(username=f"bench-{person.id}", person=person)
    user.set_unusable_password()
    user.save()
    return Member(person.id, user.id, county, tokens.issue(SYSTEM, user.username, "bench", 2))


if __name__ == "__main__":
    _main()

"""From service items to one form: same (role, element) once, strictest constraint, nothing needless asked.

Steps follow content.zh.md §4.2: normalise paths, merge, remove what an earlier item outputs, what can be
derived, constants and defaults, and what a register can prefill **if its query key is known by then**.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from yiwang.engines.cases.forms import expressions, groups
from yiwang.engines.cases.forms.arrange import in_order, in_pages, produced_licences
from yiwang.engines.cases.forms.contracts import (
    FormField,
    FormPlan,
    Group,
    PlanError,
    PlanItem,
    RegisterLookup,
    Situation,
)
from yiwang.engines.cases.forms.demand import Bound, Wanted, entity_of, tighten
from yiwang.engines.cases.forms.dictionary import SERVICE, Dictionary, absolute, options
from yiwang.engines.cases.forms.materials import merge_materials
from yiwang.engines.cases.forms.origins import Found, Origins, usual
from yiwang.kernel.packs.contracts import Library


def plan(
    library: Library,
    ref: str,
    answers: Mapping[str, Any] | None = None,
    registers_up: bool | Collection[str] = True,
) -> FormPlan:
    """Everything to ask, show, fetch and produce for a bundle or a single item.

    Args:
        ref: id of a bundle or of a service item (a bundle of one).
        answers: situation id → answer, as far as known.
        registers_up: True for all, False for none, or the ids of those that answer.

    Raises:
        PlanError: no such item, an empty intersection of constraints, a cycle.
    """
    up = registers_up if isinstance(registers_up, bool) else frozenset(registers_up)
    return _kept(library, ref, tuple(sorted((answers or {}).items())), up)


@lru_cache(maxsize=512)
def _kept(
    library: Library, ref: str, answers: tuple[tuple[str, Any], ...], registers_up: bool | frozenset[str]
) -> FormPlan:
    """A plan follows from these alone and is frozen, so the same question is computed once."""
    return _Planner(library, ref, dict(answers), registers_up).plan()


class _Planner:
    def __init__(
        self, library: Library, ref: str, answers: dict[str, Any], registers_up: bool | Collection[str]
    ) -> None:
        self.library = library
        self.words = Dictionary(library)
        bundle = library.find("bundle", ref)
        pack = bundle or library.find("service_item", ref)
        if pack is None:
            raise PlanError(f"没有 id 为 {ref} 的事项或一件事")
        self.pack = pack
        self.bundle = bundle is not None
        self.data = pack.data
        self.roles = {name: entity_of(role) for name, role in self.data["roles"].items()}
        self.roles.setdefault(SERVICE, SERVICE)
        self.login = str(self.data["login"])
        self.subject: str | None = self.data.get("subject")
        everything = {p.id for p in library.all("register")}
        if isinstance(registers_up, bool):
            self.up: frozenset[str] = frozenset(everything if registers_up else ())
        else:
            self.up = frozenset(registers_up) & everything
        self.situations = self._situations(answers)
        self.answers = {s.id: s.answer for s in self.situations if s.answer is not None}
        for data, bind in self._demanded():
            self.answers |= groups.flags(data, bind, answers)
        self.groups = tuple[Group, ...]()
        self.closed = tuple[Group, ...]()
        self.items = self._unrolled(self._items(), answers)
        self.answers.update((group.role, len(group.rows)) for group in self.groups)
        self.known = {
            (entry if isinstance(entry, str) else entry["path"]): ({} if isinstance(entry, str) else entry)
            for entry in self.data.get("known", ())
        }
        self.wanted: dict[str, Wanted] = {}
        self.produced = self._produced()

    # ---- items and situations

    def _demanded(self) -> list[tuple[Mapping[str, Any], Mapping[str, str]]]:
        """Every item that may be part of it, with its roles → the plan's."""
        if not self.bundle:
            return [(self.data, {})]
        entries = [(self.library.find("service_item", e["ref"]), e["bind"]) for e in self.data["items"]]
        return [(pack.data, bind) for pack, bind in entries if pack is not None]

    def _declared(self) -> Iterable[Mapping[str, Any]]:
        seen: set[str] = set()
        refs = [entry["ref"] for entry in self.data["items"]] if self.bundle else []
        packs = [self.data, *(self.library.get("service_item", r).data for r in refs)]
        for data in packs:
            for situation in data.get("situations", ()):
                if situation["id"] not in seen:
                    seen.add(situation["id"])
                    yield situation

    def _situations(self, answers: Mapping[str, Any]) -> tuple[Situation, ...]:
        """Every question with its answer; one whose ``when`` is not (yet) true is not asked."""
        found: list[Situation] = []
        known: dict[str, Any] = {}
        for one in self._declared():
            source = one.get("source")
            lookup = None
            if source:
                lookup = RegisterLookup(source["register"], absolute(source["key"], self.login), "")
            when = one.get("when")
            posed = True if when is None else expressions.truth(when, known, known)
            answer = answers.get(one["id"])
            reachable = lookup is not None and lookup.register in self.up
            if answer is None and "default" in one:
                if posed is False or (posed and when is None and not reachable):
                    answer = one["default"]
            if answer is not None:
                known[one["id"]] = answer
            codes = tuple((c, c) for c in one.get("codes", ())) or (("true", "是"), ("false", "否"))
            found.append(
                Situation(
                    id=one["id"],
                    ask=one["ask"],
                    why=one.get("why", ""),
                    asked=posed is True and answer is None and not reachable,
                    answer=answer,
                    default=one.get("default"),
                    source=self.library.get("register", lookup.register).name if lookup else "",
                    when=when,
                    lookup=lookup,
                    holds=source.get("holds") if source else None,
                    options=codes,
                )
            )
        return tuple(found)

    def _items(self) -> list[Bound]:
        if not self.bundle:
            return [Bound(self.pack, {}, False)]
        chosen = []
        for entry in self.data["items"]:
            pack = self.library.find("service_item", entry["ref"])
            if pack is None:
                raise PlanError(f"{self.pack.name}引用的事项 {entry['ref']} 不存在")
            if self.answers.get(entry["ref"], entry.get("default", True)) is False and entry.get("optional"):
                continue
            when = entry.get("when")
            if when and expressions.truth(when, self.answers, self.answers) is False:
                continue
            chosen.append(Bound(pack, dict(entry["bind"]), bool(entry.get("optional"))))
        return sorted(chosen, key=lambda b: b.pack.id)

    def _unrolled(self, items: list[Bound], answers: Mapping[str, Any]) -> list[Bound]:
        """The items with repeating roles written out row by row, as many as the answers say."""
        known = {**answers, **self.answers}
        repeating = groups.many_of(self.data)
        self.groups, self.closed = groups.gathered(
            items, repeating if self.bundle else None, self.role_label, known
        )
        for group in self.groups:
            self.roles |= {row: group.entity for row in group.rows if row not in self.roles}
        self.roles = {r: e for r, e in self.roles.items() if r not in repeating}
        counts = {group.role: len(group.rows) for group in self.groups}
        return [groups.unrolled(item, groups.rows_wanted(item, counts, known)) for item in items]

    def _produced(self) -> dict[str, str]:
        return {
            item.path(output["path"]): item.pack.id
            for item in self.items
            for output in item.pack.data.get("outputs", {}).get("fields", ())
        }

    # ---- fields

    def _want(self, path: str, item: Bound | None = None) -> Wanted | None:
        if path in self.wanted:
            return self.wanted[path]
        role, element_id = path.split(".", 1)
        entities = [self.roles.get(role), *(g.entity for g in self.groups if role in g.rows)]
        if item:
            entities += [
                entity_of(declared)
                for own, declared in item.pack.data["roles"].items()
                if item.bind.get(own, own) == role
            ]
        element = self.words.find(element_id, *entities)
        if element is None:
            return None
        self.wanted[path] = Wanted(path, element)
        return self.wanted[path]

    def _merge_fields(self) -> None:
        for item in self.items:
            for entry in item.pack.data["fields"]:
                spec: Mapping[str, Any] = (
                    {"path": entry, "required": True} if isinstance(entry, str) else entry
                )
                demand = self._settled(item, spec)
                if demand is None:
                    continue
                wanted = self._want(item.path(spec["path"]), item)
                if wanted is None:
                    raise PlanError(f"{item.pack.name}用到的数据元 {spec['path']} 不在字典里")
                tighten(wanted, item, demand)

    def _settled(self, item: Bound, spec: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """A field's demand with what the answers already decide; None when they leave the field out."""
        demand = dict(spec)
        for key in ("when", "required"):
            if not isinstance(demand.get(key), str):
                continue
            decided = expressions.truth(item.text(demand[key]), self.answers, self.answers)
            if key == "when" and decided is False:
                return None
            if key == "when" and decided:
                del demand["when"]
            elif decided is not None:
                demand["required"] = decided
        return demand

    def _add_supporting(self) -> None:
        """What nobody's form has but derivations, queries, routing or conditions read."""
        todo = list(self.wanted)
        for item in self.items:
            data = item.pack.data
            todo.append(item.path(data["authority"]["region"]))
            texts = [c["test"] for c in data.get("conditions", ()) if "test" in c]
            todo += [item.path(p) for text in texts for p in expressions.reads(text) if "." in p]
            for output in data.get("outputs", {}).get("fields", ()):
                allocate = output.get("allocate", {})
                todo += [item.path(allocate[k]) for k in ("region", "birth", "sex") if k in allocate]
        seen: set[str] = set()
        while todo:
            path = todo.pop()
            if path in seen or path.split(".", 1)[0] not in self.roles:
                continue
            seen.add(path)
            wanted = self._want(path)
            if wanted is None or path in self.produced:
                continue
            role = path.split(".", 1)[0]
            derive = self.words.derive(wanted.element, role)
            if derive:
                todo += [p for p in expressions.reads(derive) if "." in p]
            todo += [lk.key for lk in self.words.lookups(wanted.element, role) if lk.register in self.up]

    def _follow_roles(self) -> None:
        """A supporting field of somebody whom the form mentions only sometimes is wanted only then."""
        for role in self.roles:
            mine = [w for w in self.wanted.values() if w.path.startswith(f"{role}.")]
            own = [w for w in mine if not w.supporting]
            if own and not any(w.always for w in own):
                for wanted in mine:
                    if wanted.supporting:
                        wanted.whens = set().union(*(w.whens for w in own))

    # ---- the whole

    def plan(self) -> FormPlan:
        """The plan."""
        self._merge_fields()
        self._add_supporting()
        self._follow_roles()
        origins = Origins(
            library=self.library,
            words=self.words,
            wanted=self.wanted,
            produced=self.produced,
            constants=self.data.get("constants", {}),
            known=self.known,
            anyway={entry["path"] for entry in self.data.get("ask_anyway", ())},
            sessions=(self.login, self.subject),
            up=self.up,
            answers=self.answers,
        ).found()
        fields = {path: self._field(wanted, origins[path]) for path, wanted in sorted(self.wanted.items())}
        pages = in_pages(fields, self.data.get("pages", ()), self.role_label, self.groups, self.closed)
        page_of = {path: page.id for page in pages for path in page.fields}
        ordered = [replace(fields[p], page=page_of[p]) for page in pages for p in page.fields]
        licences = produced_licences(self.items)
        materials = merge_materials(
            self.library, self.items, self.answers, self.up, licences, fields, self.role_label
        )
        batches, dependencies, why = in_order(self.items, self.produced, licences, self.data.get("after", ()))
        turn = {item: n for n, item in enumerate(i for batch in batches for i in batch)}
        self.items.sort(key=lambda i: turn[i.pack.id])  # in the order in which they can be done
        return FormPlan(
            library=self.library,
            ref=self.pack.id,
            kind=self.pack.kind,
            name=self.pack.name,
            version=self.pack.version,
            sha256=self.pack.sha256,
            roles=self.roles,
            login=self.login,
            subject=self.subject,
            known=tuple(self.known),
            answers=self.answers,
            items=tuple(
                PlanItem(
                    id=i.pack.id,
                    version=i.pack.version,
                    sha256=i.pack.sha256,
                    name=i.pack.name,
                    function=i.pack.data["authority"]["function"],
                    bind=i.bind,
                    optional=i.optional,
                    flow=i.pack.data["flow"],
                    data=i.pack.data,
                )
                for i in self.items
            ),
            batches=batches,
            dependencies=dependencies,
            why=why,
            fields=tuple(ordered),
            pages=pages,
            materials=materials,
            situations=self.situations,
            groups=self.groups,
            rules=groups.rules_of(self.items),
            closed=self.closed,
        )

    def role_label(self, role: str) -> str:
        """The Chinese name of a role in this plan; of a row: 股东2."""
        for group in self.groups:
            if role in group.rows and role != group.first:
                return group.label_of(role)
        declared = self.data["roles"].get(role)
        if isinstance(declared, Mapping) and declared.get("label"):
            return str(declared["label"])
        return self.words.label(self.roles.get(role, role))

    def _field(self, wanted: Wanted, origin: Found) -> FormField:
        role, _, _element = wanted.path.partition(".")
        spec = wanted.element.definition
        choices = options(self.library, spec)
        if wanted.codes is not None:
            choices = tuple(c for c in choices if c[0] in wanted.codes)
        constants = self.data.get("constants", {})
        label = wanted.labels[0] if wanted.labels else wanted.element.name
        if role != SERVICE:
            join = "" if label.startswith("与") else "的"
            label = f"{self.role_label(role)}{join}{label}"
        minimum = [m for m in (wanted.min, spec.get("min")) if m is not None]
        maximum = [m for m in (wanted.max, spec.get("max")) if m is not None]
        if minimum and maximum and max(minimum) > min(maximum):
            raise PlanError(f"{label}的取值范围没有交集：不小于 {max(minimum)} 又不大于 {min(maximum)}")
        return FormField(
            path=wanted.path,
            element=wanted.element.full_id,
            label=label,
            why_asked=wanted.why or spec.get("why", ""),
            type=wanted.element.type,
            origin=origin[0],
            source=origin[1],
            required=wanted.required,
            items=tuple(sorted(set(wanted.items))),
            page="",
            level=wanted.element.level,
            options=choices,
            when=None if wanted.always or not wanted.whens else expressions.any_of(wanted.whens),
            required_when=expressions.any_of(wanted.required_when) if wanted.required_when else None,
            lookup=origin[2][0] if origin[2] else None,
            lookups=origin[2],
            derive=self.words.derive(wanted.element, role),
            default=constants.get(wanted.path, usual(wanted, self.answers)),
            suggest=spec.get("default_from"),
            min=max(minimum) if minimum else None,
            max=min(maximum) if maximum else None,
            pattern=wanted.pattern or spec.get("pattern"),
            hint=spec.get("hint", ""),
            example=spec.get("example", ""),
            produced_by=self.produced.get(wanted.path, ""),
            supporting=wanted.supporting,
        )

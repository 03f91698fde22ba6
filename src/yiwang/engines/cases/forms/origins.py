"""Where each value of a form comes from: a register, the sign-in, a derivation, a default; or somebody is asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from yiwang.engines.cases.forms import expressions
from yiwang.engines.cases.forms.contracts import Origin, RegisterLookup
from yiwang.engines.cases.forms.demand import Wanted
from yiwang.engines.cases.forms.dictionary import Dictionary, absolute
from yiwang.kernel.packs.contracts import Library

Found = tuple[Origin, str, tuple[RegisterLookup, ...]]  # how, in words for the person, and the queries to try


def usual(wanted: Wanted, answers: Mapping[str, Any]) -> Any:
    """The usual value: as an item says under these answers, else as the dictionary has it; None without one."""
    if wanted.default:
        return expressions.plain(expressions.evaluate(wanted.default, answers))
    return wanted.element.definition.get("default")


@dataclass(frozen=True, slots=True)
class Origins:
    """What is known of a form before anybody is asked.

    ``wanted``, ``produced`` (path → item), ``constants``, ``known`` (path → how) and ``anyway`` (asked all the same)
    go by path; ``sessions`` are the roles that a sign-in tells of, the first being who signed in; ``up`` the ids of
    the registers that answer.
    """

    library: Library
    words: Dictionary
    wanted: Mapping[str, Wanted]
    produced: Mapping[str, str]
    constants: Mapping[str, Any]
    known: Mapping[str, Mapping[str, Any]]
    anyway: Collection[str]
    sessions: tuple[str, str | None]
    up: Collection[str]
    answers: Mapping[str, Any]

    def found(self) -> dict[str, Found]:
        """The origin of each wanted path: a fixed point over what is known, because queries feed queries."""
        origins: dict[str, Found] = {}
        available: set[str] = set()
        changed = True
        while changed:
            changed = False
            for path, wanted in self.wanted.items():
                if path in origins:
                    continue
                found = self._unasked(path, wanted, available)
                if found:
                    origins[path] = found
                    if found[0] is not Origin.PRODUCED:
                        available.add(path)
                    changed = True
        return origins | {p: self._asked(p, w) for p, w in self.wanted.items() if p not in origins}

    def _unasked(self, path: str, wanted: Wanted, available: set[str]) -> Found | None:
        role = path.split(".", 1)[0]
        if path in self.constants:
            return Origin.CONSTANT, "由本次办理确定", ()
        if path in self.produced:
            return Origin.PRODUCED, f"由{self.library.get('service_item', self.produced[path]).name}产生", ()
        if path in self.anyway:
            return None
        session = self.words.session(wanted.element)
        if session and role in self.sessions:
            return Origin.PREFILLED, "实名登录" if role == self.sessions[0] else session, ()
        if path in self.known:
            lookup = self.known[path].get("lookup")
            if not lookup:
                return Origin.PREFILLED, str(self.known[path].get("by", "授权取得")), ()
            key = absolute(lookup["key"], role)
            if lookup["register"] in self.up and key in available:
                told = RegisterLookup(lookup["register"], key, lookup["field"])
                return Origin.PREFILLED, self._source(lookup["register"]), (told,)
        derive = self.words.derive(wanted.element, role)
        if derive and _inputs(derive) <= available:
            return Origin.DERIVED, "由已知信息推出", ()
        if derive:
            return None
        usable = tuple(
            lk
            for lk in self.words.lookups(wanted.element, role)
            if lk.register in self.up and lk.key in available
        )
        return (Origin.PREFILLED, self._source(usable[0].register), usable) if usable else None

    def _asked(self, path: str, wanted: Wanted) -> Found:
        """Asked, or following from what is asked, or usual."""
        if path not in self.anyway:
            derive = self.words.derive(wanted.element, path.split(".", 1)[0])
            if derive and _inputs(derive) <= self.wanted.keys():
                return Origin.DERIVED, "由已填内容推出", ()
            if usual(wanted, self.answers) is not None:
                return Origin.DEFAULT, "默认，可改", ()
        return Origin.ASKED, "", ()

    def _source(self, register: str) -> str:
        pack = self.library.get("register", register)
        return f"{pack.name}（{pack.data['owner']}）"


def _inputs(derive: str) -> set[str]:
    """The paths that a derivation reads."""
    return {p for p in expressions.reads(derive) if "." in p}

"""What an operator or author can set, call or write is documented; a test says what is missing."""

import argparse
import re
from pathlib import Path

from yiwang.cli import parser
from yiwang.kernel.packs import loader

ROOT = Path(__file__).resolve().parents[4]
README = (ROOT / "README.md").read_text()
SOURCES = "\n".join(file.read_text() for file in (ROOT / "src").rglob("*.py") if "tests" not in file.parts)


def test_every_setting_is_in_the_readme():
    named = set(re.findall(r"\"((?:YIWANG|DATABASE)_[A-Z_]+|PORT)\"", SOURCES))
    assert named >= {"YIWANG_DEMO", "DATABASE_URL", "PORT"}
    assert sorted(name for name in named if f"`{name}`" not in README) == []


def commands(top: argparse.ArgumentParser, before: str = "") -> list[str]:
    found = []
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                deeper = commands(child, f"{before}{name} ")
                found += deeper or [f"{before}{name}"]
    return found


def test_every_command_is_in_the_readme():
    there = commands(parser())
    assert "packs check" in there
    assert [
        name for name in there if f"`{name}" not in README and f"`{name.split()[0]}`, `" not in README
    ] == []


def test_every_event_is_in_the_architecture():
    topics = set(re.findall(r"@on\(\"([\w.-]+)\"\)", SOURCES))
    text = (ROOT / "ARCHITECTURE.md").read_text()
    assert sorted(topic for topic in topics if f"`{topic}`" not in text) == []


def test_every_field_of_every_pack_schema_says_what_it_is():
    silent = []

    def walk(node, where):
        if isinstance(node, dict):
            for name, spec in node.get("properties", {}).items():
                if not (spec.get("description") or "const" in spec or "$ref" in spec):
                    silent.append(f"{where}.{name}")
                walk(spec, f"{where}.{name}")
            walk(node.get("items"), where)
            walk(node.get("additionalProperties"), where)

    for kind in loader.kinds():
        walk(loader.schema(kind), kind)
    assert silent == []

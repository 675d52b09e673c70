"""Documents stay true: links lead somewhere, commands exist, examples in docstrings run, and no machine's paths are written down."""

from __future__ import annotations

import doctest
import functools
import importlib
import re
from pathlib import Path

import pytest
from typer.main import get_command

from pasi_vision.cli import app

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    p
    for p in [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("data/*.md"),
        *ROOT.glob("conformance/*.md"),
        *ROOT.glob("models/*/*.md"),
    ]
)
PACKAGE = ROOT / "pasi_vision"
WITH_EXAMPLES = sorted(p for p in PACKAGE.rglob("*.py") if re.search(r"^\s*>>> ", p.read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_relative_links_lead_somewhere(document: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text("utf-8")):
        if not re.match(r"[a-z]+:", target) and not (document.parent / target).exists():
            broken.append(target)
    assert not broken


@functools.cache
def commands() -> set[str]:
    known: set[str] = set()

    def walk(command: object, words: str) -> None:
        known.add(words)
        for name, child in getattr(command, "commands", {}).items():
            walk(child, f"{words} {name}".strip())

    walk(get_command(app), "")
    return known - {""}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_in_documents_exist(document: Path) -> None:
    known = commands()
    groups = {name.split()[0] for name in known if " " in name}
    unknown = []
    for first, second in re.findall(
        r"(?:`|^)pasi-vision ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?", document.read_text("utf-8"), re.MULTILINE
    ):
        if first in groups:
            if second and f"{first} {second}" not in known:
                unknown.append(f"{first} {second}")
        elif first not in known:
            unknown.append(first)
    assert not unknown


@pytest.mark.parametrize("module", WITH_EXAMPLES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_examples_in_docstrings_run(module: Path) -> None:
    name = ".".join(module.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    outcome = doctest.testmod(
        importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    )
    assert outcome.attempted > 0
    assert outcome.failed == 0


def test_no_machine_is_written_down() -> None:
    pattern = re.compile(r"(?<![\w.])/(?:work|root|farm)/|files\.pythonhosted|registry\.npmjs|deb\.debian\.org")
    named = []
    for folder in ("pasi_vision", "scripts", "configs", "docs", "tests", "conformance", "data"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", ".md", ".yaml", ".json", ".toml", ".html", ".j2", ".js", ".css"} and path != Path(
                __file__
            ):
                named += [f"{path.relative_to(ROOT)}: {m.group()}" for m in pattern.finditer(path.read_text("utf-8"))]
    assert not named, named[:10]


def test_the_changelog_speaks_of_every_part() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8").lower()
    for word in ("photograph", "phantom", "model", "pasi", "endpoint", "agree", "report", "portal"):
        assert word in text, word


ASVS = {5: (1, 3, 2, 3), 7: (3, 4, 2, 5, 2, 2), 8: (2, 3, 1, 1), 16: (1, 5, 4, 3, 3)}
"""How many requirements of levels 1 and 2 each section of a chapter of OWASP ASVS 5.0 holds; they are numbered from 1."""


def test_the_table_of_security_leaves_no_requirement_out_and_names_tests_that_exist() -> None:
    text = (ROOT / "docs" / "portal-security.md").read_text("utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if re.match(r"\| \d", line)
    ]
    rows = [row for row in rows if re.match(r"\d+\.\d+\.\d", row[0])]
    listed = [number for row in rows for number in re.findall(r"\b\d+\.\d+\.\d+\b", row[0])]
    wanted = [
        f"{chapter}.{section}.{number + 1}"
        for chapter, sections in ASVS.items()
        for section, most in enumerate(sections, 1)
        for number in range(most)
    ]
    assert sorted(listed) == sorted(wanted)
    for requirement, how, tests in rows:
        named = re.findall(r"`(test_\w+)\.(test_\w+)`", tests)
        assert named or "documented" in requirement or "inventory" in requirement or "**" in how, requirement
        for file, function in named:
            assert f"\ndef {function}(" in (ROOT / "tests" / "portal" / f"{file}.py").read_text("utf-8"), (
                requirement,
                function,
            )

"""Whether the pages say what is so. Run by `./dev check` as `python -m checks.docs`."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from checks.fault import Fault, tell
from checks.typed import commands_in, refusal, unknown_in

README = "README.md"
ARCHITECTURE = "docs/ARCHITECTURE.md"
CHANGELOG = "CHANGELOG.md"
POLICY = "docs/policy.md"
SCENARIOS = "docs/scenarios.md"

_FENCE = re.compile(r"\s*(```|~~~)")
_HELP = re.compile(r"<!-- help -->\s*```\w*\n(?P<said>.*?)```\s*<!-- /help -->", re.DOTALL)
_LINK = re.compile(r"\]\(\s*<?(?P<inline>[^)>\s]+)|^\s*\[[^\]]+\]:\s+(?P<reference>\S+)")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_VERB = re.compile(r"\./dev ([a-z]+)")
_OFFERED = re.compile(r"^ {4}\./dev ([a-z]+)", re.MULTILINE)
_GRAPH = re.compile(r"^(?:<!-- graph -->\s*)?```mermaid|^<!-- graph -->", re.MULTILINE)
_UNRELEASED = re.compile(r"^## \[Unreleased\]", re.MULTILINE)
_ENTRY = re.compile(r"\s*(\||[-*] )")
_SCENE = re.compile(r"^\| \[(?P<name>[^\]]+)\]", re.MULTILINE)
_CONSOLE = re.compile(r"^```console\n(?P<lines>.*?)^```", re.DOTALL | re.MULTILINE)
_TYPED = re.compile(r"^(?:[$#] | {4}(?! ))(?P<line>.*)$", re.MULTILINE)
_INLINE = re.compile(r"`(?P<line>abuse-agent [^`\n]+)`")
_WORDS_OF_A_REASON = 3


@dataclass(frozen=True, slots=True)
class Page:
    """A page in Markdown.

    Attributes:
        name: Relative to the top of the tree.
        text: All of it; empty when there is no such page.
    """

    name: str
    text: str

    def fault(self, problem: str, at: int | None = None) -> Fault:
        """A fault of this page; ``at`` is an offset into its text."""
        line = 0 if at is None else self.text.count("\n", 0, at) + 1
        return Fault(file=self.name, line=line, problem=problem)


def read_page(root: Path, name: str) -> Page:
    """The page of that name, or an empty one."""
    file = root / name
    return Page(name, file.read_text(encoding="utf-8") if file.is_file() else "")


def read_help() -> str:
    """What `abuse-agent --help` prints at 80 columns, without colour.

    Empty when the command can't be run; its complaint goes to standard error.
    """
    command = Path(sys.executable).parent / "abuse-agent"
    surroundings = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}
    told = subprocess.run(
        [command, "--help"], env=surroundings, stdout=subprocess.PIPE, text=True, check=False
    )
    return told.stdout if told.returncode == 0 else ""


def missing(root: Path) -> Iterator[Fault]:
    """The pages that every tree of ours has."""
    for name in (README, ARCHITECTURE, CHANGELOG):
        if not (root / name).is_file():
            yield Fault(file=name, problem="there is no such page")


def help_block(readme: Page, help_text: str) -> Iterator[Fault]:
    """The README shows `--help` as it is, between its two markers."""
    block = _HELP.search(readme.text)
    if block is None:
        yield readme.fault("no fenced block between <!-- help --> and <!-- /help -->")
    elif not help_text:
        yield readme.fault("abuse-agent --help failed, so its block can't be checked")
    elif block["said"].strip("\n") != help_text.strip("\n"):
        shown = zip(block["said"].strip("\n").split("\n"), help_text.split("\n"), strict=False)
        differs = next((wanted for said, wanted in shown if said != wanted), "its length")
        problem = f"the help block is not what abuse-agent --help prints; first: {differs.strip()}"
        yield readme.fault(problem, block.start())


def prose(page: Page) -> Iterator[tuple[int, str]]:
    """The lines outside fenced blocks, each with its number."""
    fenced = False
    for number, line in enumerate(page.text.split("\n"), 1):
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            yield number, line


def links(root: Path, page: Page) -> Iterator[Fault]:
    """Every relative link leads to a file or folder of this tree."""
    for number, line in prose(page):
        for link in _LINK.finditer(line):
            target = (link["inline"] or link["reference"]).partition("#")[0]
            if not target or _SCHEME.match(target):
                continue
            base = root if target.startswith("/") else (root / page.name).parent
            if not (base / target.lstrip("/")).exists():
                yield Fault(file=page.name, line=number, problem=f"{target} leads nowhere")


def verbs(readme: Page, offered: frozenset[str]) -> Iterator[Fault]:
    """Every `./dev VERB` of the README is one that `./dev help` offers."""
    for named in _VERB.finditer(readme.text):
        if named[1] not in offered:
            yield readme.fault(f"./dev has no verb {named[1]}", named.start())


def command_lines(page: Page) -> Iterator[Fault]:
    """Every command line of ours that a page shows can be typed.

    Those of console blocks behind ``$`` or ``#``, and of indented blocks, are parsed; of what
    stands within a sentence, often with words in place of others, only names are looked at.
    """
    for block in _CONSOLE.finditer(page.text):
        for shown in _TYPED.finditer(block["lines"]):
            yield from _refused(page, shown["line"], block.start("lines") + shown.start())
    for number, line in prose(page):
        indented = _TYPED.match(line) if line.startswith(" ") else None
        if indented is not None:
            for fault in _refused(page, indented["line"], 0):
                yield Fault(file=page.name, line=number, problem=fault.problem)
        for inline in _INLINE.finditer(line):
            for problem in unknown_in(inline["line"]):
                yield Fault(file=page.name, line=number, problem=problem)


def _refused(page: Page, line: str, at: int) -> Iterator[Fault]:
    try:
        commands = list(commands_in(line))
    except ValueError:
        return  # no line for a shell: a quote in it is open
    for words in commands:
        if reason := refusal(words):
            shown = " ".join(("abuse-agent", *words))
            yield page.fault(f"{shown} can't be typed: {reason}", at)


def policies(root: Path) -> Iterator[Fault]:
    """Every file under policies/ is told of in README or docs/policy.md."""
    told = read_page(root, README).text + read_page(root, POLICY).text
    for file in sorted((root / "policies").rglob("*")):
        name = str(file.relative_to(root / "policies"))
        if file.is_file() and name not in told:
            problem = f"neither {README} nor {POLICY} tells of it"
            yield Fault(file=f"policies/{name}", problem=problem)


def scenarios(root: Path, page: Page) -> Iterator[Fault]:
    """The table of scenarios lists those that there are, each once."""
    shown = [row["name"] for row in _SCENE.finditer(page.text)]
    known = [file.parent.name for file in (root / "tests/scenarios").glob("*/scene.yaml")]
    for name in sorted({*known, *shown}):
        if (known.count(name), shown.count(name)) != (1, 1):
            problem = f"{name} stands in {shown.count(name)} lines of its table, and there are "
            yield page.fault(f"{problem}{known.count(name)}: run ./dev bench scenarios")


def changelog(page: Page) -> Iterator[Fault]:
    """The changelog is open for what is not released yet."""
    if not _UNRELEASED.search(page.text):
        yield page.fault("no section ## [Unreleased]")


def graph(page: Page) -> Iterator[Fault]:
    """The architecture is one graph."""
    count = len(_GRAPH.findall(page.text))
    if count != 1:
        yield page.fault(
            f"{count} graphs; there is one, fenced as mermaid or marked <!-- graph -->"
        )


def dependencies(root: Path, page: Page) -> Iterator[Fault]:
    """Each runtime dependency stands in a list or table with the reason for it."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    entries = [line for line in page.text.split("\n") if _ENTRY.match(line)]
    for requirement in project["dependencies"]:
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        word = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])", re.IGNORECASE)
        reasons = (word.sub("", line) for line in entries if word.search(line))
        if not any(len(re.findall(r"\w+", reason)) >= _WORDS_OF_A_REASON for reason in reasons):
            yield page.fault(f"no list or table line gives the reason for {name}")


def rooms(root: Path, page: Page) -> Iterator[Fault]:
    """Each folder of agent/ is named, as `observe/` or `agent/observe`."""
    for folder in sorted({file.parent for file in (root / "agent").glob("*/*.py")}):
        if not re.search(rf"\bagent/{folder.name}\b|\b{folder.name}/|`{folder.name}`", page.text):
            yield page.fault(f"does not name agent/{folder.name}")


def pages(root: Path) -> Iterator[Page]:
    """Every Markdown page, without those in hidden folders and in dist/."""
    for file in sorted(root.rglob("*.md")):
        place = file.relative_to(root)
        if not any(part.startswith(".") or part == "dist" for part in place.parts):
            yield read_page(root, str(place))


def faults(root: Path, help_text: str) -> Iterator[Fault]:
    """All that the pages of the tree at ``root`` say and is not so."""
    yield from missing(root)
    for page in pages(root):
        yield from links(root, page)
        yield from command_lines(page)
    yield from policies(root)
    yield from scenarios(root, read_page(root, SCENARIOS))
    readme, architecture = read_page(root, README), read_page(root, ARCHITECTURE)
    if readme.text:
        yield from help_block(readme, help_text)
        yield from verbs(readme, frozenset(_OFFERED.findall(read_page(root, "dev").text)))
    if architecture.text:
        yield from graph(architecture)
        yield from dependencies(root, architecture)
        yield from rooms(root, architecture)
    if (root / CHANGELOG).is_file():
        yield from changelog(read_page(root, CHANGELOG))


if __name__ == "__main__":
    sys.exit(tell(faults(Path.cwd(), read_help())))

"""Whether the code keeps the house's sizes and words. Run as `python -m checks.tree`."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from checks.fault import Fault, tell

FILE_LINES = 300
FUNCTION_LINES = 40
UNWANTED = frozenset(
    {"jail", "ticket", "whitelist", "blacklist", "manager", "helper", "util", "utility"}
)
FOLDERS = ("agent", "tests", "bench", "checks")

_TEXTS = frozenset({".py", ".sh", ".md", ".yaml", ".yml", ".toml"})
# Written with brackets, so that this file holds none of them.
_LOOSE = re.compile(r"\b(?:T[O]DO|F[I]XME|X[X]X|NotImplemented[E]rror)\b|pragma: no [c]over")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def unwanted(name: str) -> str | None:
    """The first part of an identifier that is not a word of ours, or None."""
    for part in _PART.findall(name):
        word: str = part.lower()
        if word in UNWANTED or word.removesuffix("s") in UNWANTED or word == "utilities":
            return word
    return None


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many lines the body has, without its docstring."""
    first, *rest = function.body
    begin = first.lineno
    if ast.get_docstring(function, clean=False) is not None:
        begin = rest[0].lineno if rest else (first.end_lineno or 0) + 1
    return (function.end_lineno or 0) - begin + 1


def named(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Each class, function and argument, with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case _:
                pass


def sizes(file: str, text: str) -> Iterator[Fault]:
    """A file is at most 300 lines, a function at most 40."""
    lines = text.count("\n")
    if lines > FILE_LINES:
        yield Fault(file=file, problem=f"{lines} lines; at most {FILE_LINES}")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = body_lines(node)
            if lines > FUNCTION_LINES:
                problem = f"{node.name} has {lines} lines; at most {FUNCTION_LINES}"
                yield Fault(file=file, line=node.lineno, problem=problem)


def words(file: str, text: str) -> Iterator[Fault]:
    """No module, class, function or argument has one of the words not used."""
    modules = ((0, part) for part in Path(file).with_suffix("").parts)
    for line, name in (*modules, *named(ast.parse(text))):
        word = unwanted(name)
        if word is not None:
            yield Fault(file=file, line=line, problem=f"{name}: {word} is not a word of ours")


def loose_ends(file: str, text: str) -> Iterator[Fault]:
    """Nothing is left for later in the text."""
    for number, line in enumerate(text.split("\n"), 1):
        left = _LOOSE.search(line)
        if left is not None:
            yield Fault(file=file, line=number, problem=f"{left[0]}: finish it or take it out")


def faults(root: Path) -> Iterator[Fault]:
    """All that the tree at ``root`` does not keep."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in _TEXTS or not path.is_file():
                continue
            # A test may keep a policy that is no UTF-8 on purpose.
            text = path.read_text(encoding="utf-8", errors="replace")
            file = str(path.relative_to(root))
            yield from loose_ends(file, text)
            if folder == "agent" and path.suffix == ".py":
                yield from sizes(file, text)
                yield from words(file, text)


if __name__ == "__main__":
    sys.exit(tell(faults(Path.cwd())))

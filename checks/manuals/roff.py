"""Text as a man page has it. Source: man(7), groff_char(7); read by groff and mandoc alike."""

import re
from collections.abc import Iterable

_TYPED = {
    "\\": "\\e",
    "-": "\\-",
    "'": "\\(aq",
    "`": "\\(ga",
    "^": "\\(ha",
    "~": "\\(ti",
    '"': "\\(dq",
}
_SPOKEN = {key: _TYPED[key] for key in "\\`^~"}
_LITERAL = re.compile(r"(?:--?[a-z]|/|\*\.|\.[a-z])|[a-z0-9]+_[a-z]|abuse-agent", re.IGNORECASE)
_INLINE = re.compile(
    r"`(?P<code>[^`]+)`|\[(?P<link>(?:[^\]`]|`[^`]*`)+)\]\([^)]*\)|\*(?P<stressed>[^*\s][^*]*)\*"
)
_SENTENCE = re.compile(r"(?<=[A-Za-z0-9)`][.:?!]) +(?=[A-Z])")


def typed(text: str) -> str:
    """Escape what somebody types: each character is that of the keyboard."""
    return "".join(_escape(character, _TYPED) for character in text)


def spoken(text: str) -> str:
    """Escape prose; words that name options, paths or the program are as typed."""
    return "".join(
        typed(word) if _LITERAL.match(word.lstrip("(\"'")) else _spoken(word)
        for word in re.split(r"(\s+)", text)
    )


def _spoken(word: str) -> str:
    return "".join(_escape(character, _SPOKEN) for character in word)


def _escape(character: str, known: dict[str, str]) -> str:
    if character in known:
        return known[character]
    if character.isascii():
        return character if character.isprintable() else " "
    return f"\\[u{ord(character):04X}]"


def bold(text: str) -> str:
    """Set what is typed as it stands."""
    return f"\\fB{typed(text)}\\fR"


def italic(text: str) -> str:
    """Set what stands for something else."""
    return f"\\fI{typed(text)}\\fR"


def prose(text: str, metavars: Iterable[str] = ()) -> str:
    """Set a paragraph: one sentence a line, Markdown's code bold, links as their text."""
    names = "|".join(sorted(map(re.escape, metavars)))
    sentences = _SENTENCE.sub("\n", " ".join(text.split())).split("\n")
    return "\n".join(guarded(_inline(sentence, names)) for sentence in sentences)


def _inline(text: str, names: str) -> str:
    parts, end = [], 0
    for found in _INLINE.finditer(text):
        parts.append(_named(text[end : found.start()], names))
        if found["code"]:
            parts.append(bold(found["code"]))
        elif found["link"]:
            parts.append(_inline(found["link"], names))
        else:
            parts.append(italic(found["stressed"]))
        end = found.end()
    return "".join([*parts, _named(text[end:], names)])


def _named(text: str, names: str) -> str:
    """Set prose without markup: names of arguments as such, options as typed."""
    if not names:
        return _options(text)
    parts = re.split(rf"(?<![\w-])({names})(?![\w-])", text)
    return "".join(italic(part) if at % 2 else _options(part) for at, part in enumerate(parts))


def _options(text: str) -> str:
    parts = re.split(r"(?<![\w-])(--?[a-z][a-z-]*)(?![\w])", text)
    return "".join(bold(part) if at % 2 else spoken(part) for at, part in enumerate(parts))


def guarded(line: str) -> str:
    """Keep a line of text from being a request."""
    return f"\\&{line}" if line.startswith((".", "'")) else line


def argument(text: str) -> str:
    """Quote a macro's argument that is escaped already."""
    return f'"{text}"' if " " in text or not text else text


def title(name: str, section: int, date: str, version: str) -> list[str]:
    """Begin a page; ragged right and without hyphenation, for names are to be copied."""
    head = (typed(name.upper()), section, date, f"abuse\\-agent {version}", "abuse\\-agent manual")
    return [f".TH {' '.join(argument(str(one)) for one in head)}", ".nh", ".ad l"]


def heading(text: str) -> list[str]:
    """Begin a section."""
    return [f".SH {argument(typed(text.upper()))}"]


def subheading(text: str) -> list[str]:
    """Begin a part of a section."""
    return [f".SS {argument(typed(text))}"]


def paragraphs(texts: Iterable[str], metavars: Iterable[str] = ()) -> list[str]:
    """Set paragraphs."""
    return [line for text in texts for line in (".PP", prose(text, metavars))]


def item(term: str, body: str) -> list[str]:
    """Set a term, escaped already, and what is said of it below, indented."""
    return [".TP", guarded(term), body]


def bullet(body: str) -> list[str]:
    """Set an item of a list."""
    return [".IP \\(bu 3", body]


def listing(text: str) -> list[str]:
    """Set lines as they are."""
    lines = (guarded(typed(line)) for line in text.rstrip("\n").split("\n"))
    # .EE turns hyphenation on again.
    return [".PP", ".RS 4", ".EX", *lines, ".EE", ".nh", ".RE"]


def page(lines: Iterable[str]) -> str:
    """Give the file; a paragraph right behind a heading needs no request of its own."""
    kept: list[str] = []
    for line in lines:
        if line == ".PP" and kept and kept[-1].startswith((".SH ", ".SS ")):
            continue
        kept.append(line)
    return "\n".join(kept) + "\n"

"""Real shells that are asked what they would complete a line to."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from checks.manuals.written import SHARE

TREE = Path(__file__).parents[3]
SCRIPTS = TREE / SHARE
PATIENCE_S = 20.0

_ALL_OF_BASH = r"""
PS1= PS2=; bind 'set enable-bracketed-paste off'; bind '"\C-xa": insert-completions'
"""
_ALL_OF_ZSH = r"""
PS1= PS2= RPS1=; bindkey -e; unset zle_bracketed_paste; unsetopt auto_menu auto_list
zle -C every complete-word _generic; bindkey '^Xa' every
zstyle ':completion:every::::' completer _all_matches _complete
zstyle ':completion:every:*' insert true
"""


def surroundings(folder: Path) -> dict[str, str]:
    """What a shell is started with: nothing of the user's own, and our program first."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(folder),
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(TREE),
    }


def of_bash(line: str, folder: Path) -> list[str]:
    """The words of a line once bash has put in all that it would complete it with."""
    script = SCRIPTS / "bash-completion/completions/abuse-agent"
    start = f"{_ALL_OF_BASH}\n. {script}\n"
    return _typed(["bash", "--norc", "--noprofile", "-i"], start, line, folder)


def of_bash_completion(line: str, folder: Path) -> list[str]:
    """The same, the script being found by bash-completion itself."""
    start = (
        f"{_ALL_OF_BASH}\nXDG_DATA_DIRS={SCRIPTS}\n. /usr/share/bash-completion/bash_completion\n"
    )
    return _typed(["bash", "--norc", "--noprofile", "-i"], start, line, folder)


def of_zsh(line: str, folder: Path) -> list[str]:
    """The words of a line once zsh has put in all that it would complete it with."""
    start = f"fpath=({SCRIPTS}/zsh/site-functions $fpath)\nautoload -U compinit; compinit -u -D\n"
    return _typed(["zsh", "-f", "-i"], start + _ALL_OF_ZSH, line, folder)


def of_fish(line: str, folder: Path) -> list[str]:
    """The line's words, the last one replaced by all that fish would complete it with."""
    script = SCRIPTS / "fish/vendor_completions.d/abuse-agent.fish"
    done = subprocess.run(
        ["fish", "-c", f"source {script}; complete -C $argv[1]", line],
        capture_output=True,
        text=True,
        check=True,
        env=surroundings(folder),
        cwd=folder,
        timeout=PATIENCE_S,
    )
    assert done.stderr == ""
    offered = [one.partition("\t")[0] for one in done.stdout.splitlines()]
    return [*line.split(" ")[:-1], *offered]


SHELLS: dict[str, tuple[Callable[[str, Path], list[str]], str]] = {
    "bash": (of_bash, "/bin/bash"),
    "bash-completion": (of_bash_completion, "/usr/share/bash-completion/bash_completion"),
    "zsh": (of_zsh, "/usr/bin/zsh"),
    "fish": (of_fish, "/usr/bin/fish"),
}
"""Each with what has to be there for it."""


def is_there(name: str) -> bool:
    """Whether the machine has that shell."""
    needed = SHELLS[name][1]
    return Path(needed).exists() or shutil.which(needed) is not None


def _typed(shell: list[str], start: str, line: str, folder: Path) -> list[str]:
    """Type a line and the key for all matches, and have the shell print its words."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        shell,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=surroundings(folder),
        cwd=folder,
        start_new_session=True,
    )
    os.close(terminal)
    try:
        os.write(controller, f"{start}\necho re''ady\n".encode())
        _read_to(controller, "\nready\r")
        os.write(controller, f"{line}\x18a\x01printf '<%s>' \x05; echo; echo do''ne\r".encode())
        said = _read_to(controller, "\ndone\r")
    finally:
        process.kill()
        process.wait()
        os.close(controller)
    assert "abuse-agent: " not in said, said
    words = re.findall(r"<([^<>\n]*)>", said.rpartition("\n<")[2].join(["<", ""]))
    assert words, said
    return words


def _read_to(controller: int, mark: str) -> str:
    """Read what a terminal shows until a mark.

    Raises:
        AssertionError: It did not come in time.
    """
    said, end = "", time.monotonic() + PATIENCE_S
    while mark not in said:
        assert time.monotonic() < end, said
        if select.select([controller], [], [], 1.0)[0]:
            said += os.read(controller, 65536).decode("utf-8", "replace")
    return said

"""Paths that are given: files, pipes, packed ones, and what is none."""

import gzip
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agent.errors import InputError, UnreadableError
from agent.observe.saved import read_moments
from agent.observe.saved.files import open_listings

ROW = b"tcp        0      0 192.0.2.1:80            198.51.100.7:40000      ESTABLISHED\n"


def lines_of(*paths: str | Path) -> list[int]:
    """Read some paths, and give how many sockets each moment has."""
    return [one.lines for one in read_moments(open_listings([str(path) for path in paths]))]


def test_plain_and_packed_files_are_read_one_after_another(tmp_path: Path) -> None:
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    plain.write_bytes(ROW)
    packed.write_bytes(gzip.compress(ROW * 20_000) + gzip.compress(ROW))

    assert lines_of(plain, packed, plain) == [1, 20_001, 1]


def test_a_pipe_is_read(tmp_path: Path) -> None:
    for content in (ROW * 3, gzip.compress(ROW * 3)):
        pipe = tmp_path / f"pipe{len(content)}"
        os.mkfifo(pipe)
        writer = threading.Thread(target=pipe.write_bytes, args=(content,))
        writer.start()
        assert lines_of(pipe) == [3]
        writer.join()


def test_the_files_of_proc_are_read() -> None:
    assert len(lines_of("/proc/net/tcp")) == 1


def test_a_dash_is_standard_input() -> None:
    program = (
        "from agent.observe.saved import read_moments\n"
        "from agent.observe.saved.files import open_listings\n"
        "print([(one.where, one.lines) for one in read_moments(open_listings(['-']))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=ROW * 2, capture_output=True, check=True
    )

    assert done.stdout == b"[('standard input:1', 2)]\n"


def test_every_path_is_looked_at_before_the_first_is_read(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(ROW)
    for wrong, said in ((tmp_path / "none", "No such file"), (tmp_path, "a folder; name")):
        with pytest.raises(InputError, match=f"^{wrong}: {said}") as caught:
            next(open_listings([str(plain), str(wrong)]))
        assert caught.value.exit_status == 66


def test_a_damaged_packed_file_is_told_in_one_line(tmp_path: Path) -> None:
    packed = tmp_path / "packed"
    whole = gzip.compress(ROW * 1_000)
    for content in (whole[:-20], b"\x1f\x8b" + bytes(50), whole[:50] + b"\xff" * 20 + whole[70:]):
        packed.write_bytes(content)
        with pytest.raises(UnreadableError, match=f"^{packed}: damaged gzip") as caught:
            lines_of(packed)
        assert caught.value.exit_status == 65
        assert "\n" not in str(caught.value)


def test_a_name_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[2J\n"
    path.write_bytes(ROW + b"junk\n")

    (moment,) = read_moments(open_listings([str(path)]))
    assert moment.where.endswith("/a\\x1b[2J\\n:1")
    assert moment.unread.examples[0].where.endswith(":2")

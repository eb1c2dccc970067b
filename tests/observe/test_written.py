"""The files that set settings at boot."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.observe.written import dotted, parse_written, read_written


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("net.ipv4.tcp_fin_timeout = 30", ("net.ipv4.tcp_fin_timeout", "30")),
        ("  net/ipv4/tcp_mem=1 2\t3  ", ("net.ipv4.tcp_mem", "1 2 3")),
        ("-net.ipv4.ip_conntrack_max=5", ("net.ipv4.ip_conntrack_max", "5")),
        ("net/ipv4/conf/eth0.7/rp_filter=1", ("net.ipv4.conf.eth0/7.rp_filter", "1")),
        ("# net.ipv4.tcp_fin_timeout = 30", None),
        ("; net.ipv4.tcp_fin_timeout = 30", None),
        ("net.ipv4.tcp_fin_timeout", None),
        ("net.ipv4.tcp_fin_timeout =", None),
        ("= 5", None),
        ("", None),
    ],
)
def test_a_line_is_read_as_sysctl_does(line: str, expected: tuple[str, str] | None) -> None:
    found = [(one.name, one.value) for one in parse_written(line, "/etc/sysctl.conf")]

    assert found == ([] if expected is None else [expected])


def test_files_come_in_the_order_of_a_boot_and_hide_those_of_their_name(tmp_path: Path) -> None:
    write(tmp_path, "usr/lib/sysctl.d/10-a.conf", "a.b=hidden\n")
    write(tmp_path, "etc/sysctl.d/10-a.conf", "\na.b=1\n")
    write(tmp_path, "run/sysctl.d/05-b.conf", "a.b=2\n")
    write(tmp_path, "etc/sysctl.d/README", "a.b=none\n")
    write(tmp_path, "etc/sysctl.conf", "a.b=3\n")

    found = [(one.file, one.line, one.value) for one in read_written(tmp_path)]

    assert found == [
        ("/run/sysctl.d/05-b.conf", 1, "2"),
        ("/etc/sysctl.d/10-a.conf", 2, "1"),
        ("/etc/sysctl.conf", 1, "3"),
    ]


def test_debian_s_link_to_the_last_file_is_not_read_twice(tmp_path: Path) -> None:
    write(tmp_path, "etc/sysctl.conf", "a.b=3\n")
    (tmp_path / "etc/sysctl.d").mkdir()
    (tmp_path / "etc/sysctl.d/99-sysctl.conf").symlink_to("../sysctl.conf")

    assert len(read_written(tmp_path)) == 1


def test_no_files_say_nothing(tmp_path: Path) -> None:
    assert read_written(tmp_path) == ()


@given(st.text(max_size=300))
def test_any_text_is_lines_of_a_name_and_a_value(text: str) -> None:
    for one in parse_written(text, "x"):
        assert one.name
        assert one.value
        assert dotted(dotted(one.name)) == dotted(one.name)


def test_a_pipe_lets_nobody_wait(tmp_path: Path) -> None:
    write(tmp_path, "etc/sysctl.conf", "a.b = 1\n")
    (tmp_path / "etc/sysctl.d").mkdir()
    os.mkfifo(tmp_path / "etc/sysctl.d/10-pipe.conf")

    assert [one.value for one in read_written(tmp_path)] == ["1"]

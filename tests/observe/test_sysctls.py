"""The kernel's settings."""

from pathlib import Path

import pytest

from agent.observe.sysctls import EVERY_S, WANTED, Settings, of_interfaces, read_sysctls, read_texts
from tests.range import in_namespace
from tests.range.hosts import set_sysctl

COOKIES = "net.ipv4.tcp_syncookies"


def write(root: Path, name: str, text: str) -> None:
    path = root / "proc/sys" / name.replace(".", "/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("1\n", {COOKIES: 1}, id="a-number"),
        pytest.param("0\n", {COOKIES: 0}, id="zero-is-told"),
        pytest.param("", {}, id="nothing"),
        pytest.param("-1\n", {}, id="negative"),
        pytest.param("yes\n", {}, id="no-number"),
        pytest.param("1 2 3\n", {}, id="several"),
        pytest.param("²\n", {}, id="no-decimal-digit"),
        pytest.param("9" * 5000, {}, id="too-long-to-be-one"),
    ],
)
def test_a_setting_is_a_number_or_left_out(
    tmp_path: Path, text: str, expected: dict[str, int]
) -> None:
    write(tmp_path, COOKIES, text)

    assert read_sysctls(tmp_path) == expected


def test_what_is_hidden_is_left_out_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, "net.core.somaxconn", "4096\n")
    (tmp_path / "proc/sys/net/ipv4/tcp_syncookies").mkdir(parents=True)

    assert read_sysctls(tmp_path) == {"net.core.somaxconn": 4096}


def test_no_tree_is_no_settings(tmp_path: Path) -> None:
    assert read_sysctls(tmp_path) == {}


def test_this_kernel_tells_what_it_does_with_syns() -> None:
    assert {name for name in WANTED if "tcp_" in name} <= read_sysctls().keys()


def test_they_are_read_again_after_a_minute_and_not_before(tmp_path: Path) -> None:
    seconds = [100.0]
    settings = Settings(lambda: seconds[0], tmp_path)
    write(tmp_path, COOKIES, "1\n")
    assert settings() == {COOKIES: 1}

    write(tmp_path, COOKIES, "0\n")
    seconds[0] += EVERY_S - 1
    assert settings() == {COOKIES: 1}
    seconds[0] += 1
    assert settings() == {COOKIES: 0}


@pytest.mark.root
def test_they_are_those_of_the_network_namespace(namespace: str) -> None:
    set_sysctl(namespace, "ipv4/tcp_synack_retries", "2")

    with in_namespace(namespace):
        assert read_sysctls()["net.ipv4.tcp_synack_retries"] == 2


def test_what_is_no_number_is_told_as_its_file_says(tmp_path: Path) -> None:
    write(tmp_path, "net.ipv4.ip_local_port_range", "32768\t60999\n")
    wanted = ("net.ipv4.ip_local_port_range", COOKIES)

    assert read_texts(wanted, tmp_path) == {"net.ipv4.ip_local_port_range": "32768\t60999"}


def test_a_setting_of_each_interface_has_a_name_that_can_be_read(tmp_path: Path) -> None:
    for one in ("all", "default", "eth0", "eth0.1"):
        path = tmp_path / "proc/sys/net/ipv4/conf" / one / "rp_filter"
        path.parent.mkdir(parents=True)
        path.write_text("1\n")

    names = of_interfaces("rp_filter", tmp_path)

    assert names == ("net.ipv4.conf.eth0.rp_filter", "net.ipv4.conf.eth0/1.rp_filter")
    assert read_texts(names, tmp_path) == dict.fromkeys(names, "1")


def test_without_interfaces_there_is_no_such_setting(tmp_path: Path) -> None:
    assert of_interfaces("rp_filter", tmp_path) == ()

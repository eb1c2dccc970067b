"""Paths are read without waiting, and what can't be read is told in one fault."""

import os
import socket
from pathlib import Path

import pytest

from agent.errors import MissingFileError, PolicyError
from agent.policy import PolicyText, Unread, files, load_policy, packaged_policy, read_files

GOOD = b"""version: 1
services: {web: {ports: 80}}
rules: [{name: a, service: web, count: connections, above: 10}]
"""


def only(path: Path | str) -> PolicyText | Unread:
    (text,) = read_files([str(path)])
    return text


def problem(path: Path | str) -> str:
    text = only(path)
    assert isinstance(text, Unread)
    return text.problem


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.yaml"
    path.write_bytes(GOOD)
    return path


def test_a_file_is_its_name_its_folder_and_its_bytes(good: Path) -> None:
    assert only(good) == PolicyText(file=str(good), folder=str(good.parent), raw=GOOD)


def test_a_relative_name_stays_as_it_was_given(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(good.parent)

    assert only("./good.yaml") == PolicyText(file="./good.yaml", folder=str(good.parent), raw=GOOD)


def test_a_folder_is_its_yaml_files_in_name_order(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yaml", "notes.txt", ".hidden.yaml", "c.yaml.disabled"):
        (tmp_path / name).write_bytes(GOOD)
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "d.yaml").write_bytes(GOOD)

    names = [text.file for text in read_files([f"{tmp_path}/"])]
    assert names == [f"{tmp_path}/a.yaml", f"{tmp_path}/b.yaml"]


def test_a_folder_without_yaml_is_a_fault(tmp_path: Path) -> None:
    assert "no *.yaml" in problem(tmp_path)


def test_a_file_that_ends_in_yml_is_not_overlooked(good: Path) -> None:
    (good.parent / "office.yml").write_bytes(GOOD)

    with pytest.raises(PolicyError, match=r"office\.yml: of a folder only \*\.yaml is read"):
        load_policy([str(good.parent)])


def test_a_folder_within_a_folder_is_a_fault(good: Path) -> None:
    (good.parent / "x.yaml").mkdir()

    with pytest.raises(PolicyError, match=r"x\.yaml: not a regular file but a folder") as told:
        load_policy([str(good.parent)])
    assert len(told.value.faults) == 1


def test_only_a_path_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError) as told:
        load_policy([str(tmp_path / "a.yaml"), str(tmp_path / "b" / "c.yaml")])

    assert [fault.problem for fault in told.value.faults] == ["does not exist"] * 2
    assert told.value.exit_status == 66


def test_a_missing_path_beside_a_bad_policy_is_a_bad_policy(good: Path) -> None:
    good.write_bytes(GOOD + b"colour: red\n")

    with pytest.raises(PolicyError) as told:
        load_policy([str(good.parent / "gone.yaml"), str(good)])
    assert told.value.exit_status == 78
    assert len(told.value.faults) == 2


def test_a_link_to_nothing_is_told_as_one(good: Path) -> None:
    (good.parent / "x.yaml").symlink_to("gone")

    assert "symbolic link to a file that does not exist" in problem(good.parent / "x.yaml")


def test_a_loop_of_links_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").symlink_to("x.yaml")

    assert problem(tmp_path / "x.yaml").startswith("unreadable: ")


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/null", "/dev/tty"])
def test_a_device_is_never_opened(name: str) -> None:
    assert "pipe, socket or device" in problem(name)


def test_a_pipe_does_not_make_anybody_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.yaml")

    assert "pipe, socket or device" in problem(tmp_path / "x.yaml")
    assert "pipe, socket or device" in problem(tmp_path)


def test_a_socket_is_not_a_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("x.yaml")

        assert "pipe, socket or device" in problem("x.yaml")


def test_the_largest_file_is_one_mebibyte(good: Path) -> None:
    good.write_bytes(GOOD.ljust(files.LARGEST_BYTES, b"\n"))
    assert isinstance(only(good), PolicyText)

    good.write_bytes(GOOD.ljust(files.LARGEST_BYTES + 1, b"\n"))
    assert "larger than 1 MiB" in problem(good)


def test_a_file_is_read_once(good: Path) -> None:
    first, second = read_files([str(good), str(good.parent)])

    assert isinstance(first, PolicyText)
    assert isinstance(second, Unread)
    assert "the same file as" in second.problem


@pytest.mark.parametrize("name", ["", "a\0b", "a\nb", "\udcff", "\x1b[2J"])
def test_a_name_that_is_no_name_is_a_fault(name: str) -> None:
    text = only(name)

    assert isinstance(text, Unread)
    assert text.file.isprintable()
    assert text.file


def test_a_name_in_a_folder_can_not_forge_a_terminal(good: Path) -> None:
    (good.parent / "\x1b[2J.yaml").write_bytes(GOOD)

    with pytest.raises(PolicyError) as told:
        load_policy([str(good.parent)])
    assert str(told.value).isprintable()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("of", ["file", "folder"])
def test_what_may_not_be_read_is_told(good: Path, of: str) -> None:
    path = good if of == "file" else good.parent
    mode = path.stat().st_mode
    path.chmod(0)
    try:
        assert problem(path) == "unreadable: permission denied"
    finally:
        path.chmod(mode)


def test_a_refusal_is_told_in_the_systems_words(
    good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "no")

    monkeypatch.setattr(os, "open", refuse)

    assert problem(good) == "unreadable: permission denied"


def test_the_operators_folder_comes_before_the_packaged_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "OPERATORS", str(tmp_path / "none"))
    assert files.default_paths() == (packaged_policy(),)

    monkeypatch.setattr(files, "OPERATORS", str(tmp_path))
    assert files.default_paths() == (str(tmp_path),)


def test_the_packaged_policy_is_there() -> None:
    assert load_policy([packaged_policy()]).files == (packaged_policy(),)

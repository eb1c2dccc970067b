"""Whom fail2ban ignores, as entries of the allowlist."""

import errno
import shutil
import subprocess
from pathlib import Path

import pytest

from agent.errors import InputError, UnreadableError
from tests.desk.imports.peers import (
    JAIL_CONF,
    comments_of,
    fail2ban,
    policy_of,
    prefixes_of,
    rules_of,
    text_of,
    written,
)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the configuration of Debian's package; it is only unpacked: installed it would run."""
    folder = tmp_path_factory.mktemp("package")
    if shutil.which("apt-get") is None:
        pytest.skip("needs Debian's apt-get, to fetch the package fail2ban")
    fetched = subprocess.run(
        ["apt-get", "-qq", "download", "fail2ban"],
        cwd=folder,
        capture_output=True,
        timeout=120,
        check=False,
    )
    files = sorted(folder.glob("fail2ban_*.deb"))
    if fetched.returncode or not files:
        pytest.skip("no package source gives fail2ban")
    subprocess.run(["dpkg-deb", "-x", str(files[0]), str(folder / "root")], check=True)
    return folder / "root/etc/fail2ban"


def listed(folder: Path) -> dict[str, list[str]]:
    """Give the networks of the entries that came from there."""
    found = prefixes_of(policy_of("fail2ban", folder))
    return {name: one for name, one in found.items() if name.startswith("fail2ban")}


def test_the_usual_configuration_goes_with_the_default_policy(tmp_path: Path) -> None:
    policy = policy_of("fail2ban", fail2ban(tmp_path))

    assert "web-connections" in rules_of(policy)
    assert listed(tmp_path) == {}


def test_debian_s_configuration_is_a_right_policy_and_each_of_its_files_is_named(
    package: Path,
) -> None:
    assert "web-connections" in rules_of(policy_of("fail2ban", package))
    text = text_of("fail2ban", package)
    assert all(
        f"#   {package / name}" in text for name in ("jail.conf", "jail.d/defaults-debian.conf")
    )


def test_every_line_is_told(tmp_path: Path) -> None:
    told = comments_of(text_of("fail2ban", fail2ban(tmp_path)))

    lines = JAIL_CONF.split("\n")
    for number, line in enumerate(lines, 1):
        if "=" not in line or line.startswith(("#", " ", "before")):
            continue
        key = line.partition("=")[0].strip()
        groups = [word for word in told.split() if word.startswith(f"{key}:")]
        assert any(str(number) in word.partition(":")[2].split(",") for word in groups), line


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("ignoreip = 198.51.100.1 198.51.100.2", ["1/32", "2/32"], id="blanks"),
        pytest.param("ignoreip = 198.51.100.1,198.51.100.2", ["1/32", "2/32"], id="commas"),
        pytest.param(
            "ignoreip = 198.51.100.1\n    # office\n\n\t198.51.100.2 ; not me",
            ["1/32", "2/32"],
            id="lines that go on",
        ),
        pytest.param("IgnoreIP: 198.51.100.1", ["1/32"], id="another spelling"),
        pytest.param("ignoreip = 127.0.0.1/8 ::1 198.51.100.1", ["1/32"], id="loopback"),
        pytest.param("ignoreip = 198.51.100.77/24", ["0/24"], id="bits behind the length"),
        pytest.param("ignoreip = ::ffff:198.51.100.1", ["1/32"], id="mapped"),
        pytest.param(
            "ours = 198.51.100.1 %(more)s\nmore = 198.51.100.2\nignoreip = %(ours)s",
            ["1/32", "2/32"],
            id="a value of another option",
        ),
        pytest.param("ignoreip =", None, id="nobody"),
    ],
)
def test_addresses_are_read_as_fail2ban_reads_them(
    tmp_path: Path, line: str, expected: list[str] | None
) -> None:
    fail2ban(tmp_path, local=f"[DEFAULT]\n{line}\n")

    found = listed(tmp_path).get("fail2ban-ignored")
    assert found == (expected and [f"198.51.100.{one}" for one in expected])


def test_the_strongest_file_holds(tmp_path: Path) -> None:
    setting = "[DEFAULT]\nignoreip = 198.51.100.{}\n".format
    fail2ban(tmp_path, a_conf=setting(1))
    assert listed(tmp_path) == {"fail2ban-ignored": ["198.51.100.1/32"]}

    fail2ban(tmp_path, b_conf=setting(2))
    assert listed(tmp_path) == {"fail2ban-ignored": ["198.51.100.2/32"]}

    fail2ban(tmp_path, local=setting(3))
    assert listed(tmp_path) == {"fail2ban-ignored": ["198.51.100.3/32"]}

    fail2ban(tmp_path, a_local=setting(4))
    assert listed(tmp_path) == {"fail2ban-ignored": ["198.51.100.4/32"]}
    assert "ignoreip:2" in comments_of(text_of("fail2ban", tmp_path))


def test_what_held_before_can_be_added_to(tmp_path: Path) -> None:
    fail2ban(
        tmp_path,
        a_conf="[DEFAULT]\nignoreip = 198.51.100.1 # the office\n",
        local="[DEFAULT]\nignoreip = %(known/ignoreip)s 198.51.100.2\n",
    )

    assert listed(tmp_path) == {"fail2ban-ignored": ["198.51.100.1/32", "198.51.100.2/32"]}
    assert not any(one.hosts for one in policy_of("fail2ban", tmp_path).allowlist)


def test_names_are_looked_up_as_hosts(tmp_path: Path) -> None:
    fail2ban(tmp_path, local="[DEFAULT]\nignoreip = vpn.example.org localhost %(nobody)s\n")

    policy = policy_of("fail2ban", tmp_path)

    assert [one.hosts for one in policy.allowlist if one.hosts] == [("vpn.example.org",)]
    told = comments_of(text_of("fail2ban", tmp_path))
    assert "'localhost':2" in told
    assert "'%(nobody)s':2" in told


def test_a_list_for_some_logins_is_for_the_services_with_their_ports(tmp_path: Path) -> None:
    local = (
        "[DEFAULT]\nignoreip = 198.51.100.1\n"
        "[sshd]\nignoreip = %(DEFAULT/ignoreip)s 198.51.100.2\n"
        "[postfix]\nenabled = true\nignoreip = 198.51.100.3\n"
        "[apache-badbots]\nignoreip = 198.51.100.4\n"
        "[mysql]\nenabled = yes\nport = 3306\nignoreip = 198.51.100.5\n"
    )
    fail2ban(tmp_path, local=local)

    assert listed(tmp_path) == {
        "fail2ban-ignored": ["198.51.100.1/32"],
        "fail2ban-1-sshd": ["198.51.100.2/32"],
        "fail2ban-2-postfix": ["198.51.100.3/32"],
    }
    services = {one.name: one.services for one in policy_of("fail2ban", tmp_path).allowlist}
    assert services["fail2ban-1-sshd"] == {"ssh"}
    assert services["fail2ban-2-postfix"] == {"smtp", "mailboxes"}
    told = comments_of(text_of("fail2ban", tmp_path))
    assert "not enabled there: ignoreip of 'apache-badbots':9" in told
    assert "no rule watches its ports, so nobody is banned there: ignoreip of 'mysql':13" in told


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a = %(b)s%(b)s\nb = %(a)s%(a)s\nignoreip = %(a)s", id="a circle"),
        pytest.param("ignoreip = %(ignoreip)s%(ignoreip)s", id="itself"),
        pytest.param(
            "".join(f"a{one} = {f'%(a{one + 1})s ' * 50}\n" for one in range(20))
            + "a20 = 198.51.100.1\nignoreip = %(a0)s",
            id="more than there is room for",
        ),
    ],
)
def test_references_without_end_end(tmp_path: Path, text: str) -> None:
    fail2ban(tmp_path, local=f"[DEFAULT]\n{text}\n")

    assert policy_of("fail2ban", tmp_path).rules


def test_includes_are_read_and_a_circle_of_them_ends(tmp_path: Path) -> None:
    folder = written(
        tmp_path,
        {
            "jail.local": "[INCLUDES]\nbefore = ours.conf\nafter = jail.local\n"
            "[DEFAULT]\nignoreip = %(ours)s\nbantime = 1h\n",
            "ours.conf": "[INCLUDES]\nbefore = jail.local\n[DEFAULT]\nours = 198.51.100.1\n",
        },
    )

    assert listed(folder) == {"fail2ban-ignored": ["198.51.100.1/32"]}


def test_a_folder_that_can_not_be_looked_into_is_no_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail2ban(tmp_path)

    def refuse(_: Path) -> list[Path]:
        raise PermissionError(errno.EACCES, "refused")

    monkeypatch.setattr(Path, "iterdir", refuse)

    with pytest.raises(UnreadableError, match=r"jail\.d: it can't be read: permission denied"):
        text_of("fail2ban", tmp_path)


def test_a_file_alone_is_read_alone(tmp_path: Path) -> None:
    fail2ban(tmp_path, local="[DEFAULT]\nignoreip = 198.51.100.1\n")

    assert listed(tmp_path / "jail.local") == {"fail2ban-ignored": ["198.51.100.1/32"]}
    assert listed(tmp_path / "jail.conf") == {}


def test_what_is_not_there_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no jail\.conf, jail\.local or jail\.d of fail2ban in"):
        text_of("fail2ban", tmp_path)
    written(tmp_path, {"jail.conf": 'CT_LIMIT = "300"\n'})
    with pytest.raises(UnreadableError, match="no setting of fail2ban is in it"):
        text_of("fail2ban", tmp_path)

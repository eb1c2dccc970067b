"""What is told of settings: nothing of a sane one, all of what does harm or runs out."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.desk.doctor.facts import Facts, Machine
from agent.desk.doctor.settings.of_settings import of_settings
from agent.desk.doctor.settings.table import NAMES, SETTINGS
from agent.desk.doctor.values import Finding, Grade
from agent.observe.table.values import Listening
from agent.observe.written import Written
from tests.desk.doctor.sick import facts, sockets

PAGE = Path(__file__).parents[4] / "docs/doctor.md"
GIBIBYTE = 1 << 30
V4, NF = "net.ipv4.", "net.netfilter.nf_conntrack_"
DEFAULTS = {
    "net.core.netdev_max_backlog": "1000",
    "net.core.somaxconn": "4096",
    f"{V4}tcp_syncookies": "1",
    f"{V4}tcp_max_syn_backlog": "512",
    f"{V4}tcp_synack_retries": "5",
    f"{V4}tcp_syn_retries": "6",
    f"{V4}tcp_abort_on_overflow": "0",
    f"{V4}tcp_fin_timeout": "60",
    f"{V4}tcp_tw_reuse": "2",
    f"{V4}tcp_timestamps": "1",
    f"{V4}tcp_max_tw_buckets": "16384",
    f"{V4}tcp_max_orphans": "16384",
    f"{V4}tcp_keepalive_time": "7200",
    f"{V4}tcp_keepalive_intvl": "75",
    f"{V4}tcp_keepalive_probes": "9",
    f"{V4}ip_local_port_range": "32768 60999",
    f"{V4}ip_local_reserved_ports": "",
    f"{V4}tcp_mem": "44247 58996 88494",
    f"{V4}tcp_rmem": "4096 131072 6291456",
    f"{V4}tcp_wmem": "4096 16384 4194304",
    f"{V4}route.gc_timeout": "300",
    f"{V4}route.max_size": "2147483647",
    f"{V4}conf.all.rp_filter": "0",
    f"{NF}max": "65536",
    f"{NF}buckets": "65536",
    f"{NF}count": "1200",
    f"{NF}tcp_timeout_established": "432000",
    f"{NF}tcp_timeout_close_wait": "60",
    f"{NF}tcp_timeout_fin_wait": "120",
    f"{NF}tcp_timeout_time_wait": "120",
}
"""As Debian 12 has them on a machine with 4 GiB."""

WEB = Listening(port=80, backlog=511, waiting=0, inode=8)


def machine(changed: Mapping[str, str], **fields: object) -> Facts:
    settings = DEFAULTS | dict(changed)
    known = Machine(memory_bytes=4 * GIBIBYTE, processors=2)
    told = facts(sockets(listening=[WEB]), settings=settings, machine=known)
    return replace(told, **fields)  # type: ignore[arg-type]


def loud(told: Facts) -> dict[str, Finding]:
    return {one.name: one for one in of_settings(told) if one.grade is not Grade.FINE}


def test_a_machine_with_the_kernel_s_own_settings_gets_no_advice() -> None:
    assert loud(machine({})) == {}
    assert {one.name for one in of_settings(machine({}))} == {
        one.name for one in SETTINGS if one.name in DEFAULTS
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (f"{V4}tcp_fin_timeout", "30"),
        (f"{V4}tcp_tw_reuse", "1"),
        (f"{V4}tcp_tw_reuse", "0"),
        (f"{V4}tcp_synack_retries", "3"),
        (f"{V4}tcp_keepalive_time", "600"),
        (f"{V4}conf.all.rp_filter", "1"),
        (f"{V4}conf.all.rp_filter", "2"),
        ("net.core.somaxconn", "65535"),
        ("net.core.somaxconn", "128"),
        (f"{V4}ip_local_port_range", "10240 60999"),
        (f"{NF}max", "262144"),
        (f"{V4}route.gc_timeout", "100"),
    ],
)
def test_a_sane_value_is_left_alone(name: str, value: str) -> None:
    assert loud(machine({name: value})) == {}


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        (f"{V4}tcp_syncookies", "0", "flood"),
        (f"{V4}tcp_syncookies", "2", "tests"),
        (f"{V4}tcp_max_syn_backlog", "64", "too few|so few"),
        (f"{V4}tcp_synack_retries", "0", "far away"),
        (f"{V4}tcp_synack_retries", "1", "far away"),
        (f"{V4}tcp_syn_retries", "1", "lost packets"),
        (f"{V4}tcp_abort_on_overflow", "1", "reset"),
        (f"{V4}tcp_fin_timeout", "2", "TIME_WAIT"),
        (f"{V4}tcp_timestamps", "0", "tcp_tw_reuse"),
        (f"{V4}tcp_tw_recycle", "1", "behind one address"),
        (f"{V4}tcp_max_tw_buckets", "2000", "16384"),
        (f"{V4}tcp_max_orphans", "3276800", "memory"),
        (f"{V4}tcp_max_orphans", "64", "reset"),
        (f"{V4}tcp_keepalive_time", "30", "idle"),
        (f"{V4}tcp_keepalive_intvl", "1", "outage"),
        (f"{V4}tcp_keepalive_probes", "1", "lost packet"),
        (f"{V4}ip_local_port_range", "50000 50099", "100 connections"),
        ("net.core.netdev_max_backlog", "400000", "MiB"),
        (f"{V4}tcp_mem", "786432000 1048576000 1572864000", "pages, not bytes"),
        (f"{V4}tcp_mem", "1000 2000 3000", "64th"),
        (f"{V4}tcp_mem", "3000 2000 1000", "ascend"),
        (f"{V4}tcp_rmem", "4096 16777216 33554432", "every|each connection"),
        (f"{V4}tcp_wmem", "4096 16777216 33554432", "each connection"),
        (f"{NF}max", "25000000", "MiB"),
        (f"{NF}tcp_timeout_established", "180", "NAT"),
    ],
)
def test_a_value_of_old_tutorials_that_does_harm_is_told(name: str, value: str, says: str) -> None:
    found = loud(machine({name: value}))

    assert found.keys() == {name}
    assert any(word in found[name].says for word in says.split("|"))
    assert all(one.startswith(f"sysctl -w {name}=") for one in found[name].do)


@pytest.mark.parametrize(
    ("name", "value", "grown"),
    [
        (f"{V4}tcp_syncookies", "0", {"TcpExt.TCPReqQFullDrop": 5}),
        ("net.core.somaxconn", "511", {"TcpExt.ListenOverflows": 5}),
        ("net.core.netdev_max_backlog", "1000", {"Softnet.Dropped": 5}),
    ],
)
def test_what_runs_over_while_it_looks_is_told(
    name: str, value: str, grown: dict[str, int]
) -> None:
    found = loud(machine({name: value}, grown=grown))

    assert "5" in found[name].says


@pytest.mark.parametrize(
    ("for_all", "own", "strict"),
    [
        pytest.param("1", "0", "eth0", id="strict-for-all"),
        pytest.param("0", "1", "eth0", id="strict-here"),
        pytest.param("2", "1", None, id="loose-is-larger"),
        pytest.param("0", "0", None, id="off"),
    ],
)
def test_packets_dropped_for_their_way_are_told_where_the_larger_value_is_strict(
    for_all: str, own: str, strict: str | None
) -> None:
    changed = {f"{V4}conf.all.rp_filter": for_all, f"{V4}conf.eth0.rp_filter": own}

    found = loud(machine(changed, grown={"TcpExt.IPReversePathFilter": 5}))

    assert loud(machine(changed)) == {}
    assert [one.says.rpartition(" at ")[2] for one in found.values()] == ([strict] * bool(strict))


@pytest.mark.parametrize(
    ("buckets", "orphans", "is_told"),
    [
        pytest.param("2048", "2048", False, id="chosen-by-the-kernel-with-less-memory"),
        pytest.param("2000", "2000", True, id="chosen-by-somebody"),
        pytest.param("2048", "16384", True, id="orphans-tell-of-more"),
    ],
)
def test_a_limit_that_the_kernel_chose_before_memory_was_added_is_left_alone(
    buckets: str, orphans: str, *, is_told: bool
) -> None:
    changed = {f"{V4}tcp_max_tw_buckets": buckets, f"{V4}tcp_max_orphans": orphans}

    assert (f"{V4}tcp_max_tw_buckets" in loud(machine(changed))) is is_told


def test_memory_of_tcp_that_the_kernel_chose_before_memory_was_added_is_left_alone() -> None:
    assert loud(machine({f"{V4}tcp_mem": "9000 12000 18000"})) == {}


def test_without_any_setting_that_is_told_once() -> None:
    (found,) = of_settings(facts(sockets()))

    assert (found.name, found.grade) == ("settings", Grade.UNKNOWN)


def test_a_line_for_a_name_of_old_that_is_there_is_in_force() -> None:
    name = "net.nf_conntrack_max"
    line = Written(file="/etc/sysctl.conf", line=1, name=name, value="65536")

    assert name in NAMES
    assert loud(machine({name: "65536"}, written=(line,))) == {}
    assert "is in force" in loud(machine({name: "1"}, written=(line,))).popitem()[1].says


def test_a_line_for_connection_tracking_waits_for_it_to_be_loaded() -> None:
    line = Written(file="/etc/sysctl.conf", line=1, name="net.nf_conntrack_max", value="65536")

    assert loud(machine({}, written=(line,))) == {}


@pytest.mark.parametrize(("value", "is_told"), [("2", True), ("30", False)])
def test_the_harm_of_a_line_is_told_before_the_next_boot(value: str, *, is_told: bool) -> None:
    line = Written(file="/f", line=1, name=f"{V4}tcp_fin_timeout", value=value)

    (found,) = loud(machine({}, written=(line,))).values()

    assert ("is answered by a reset" in found.says) is is_told


@pytest.mark.parametrize(
    ("name", "value", "grown", "says"),
    [
        ("net.core.somaxconn", "65535", {"TcpExt.ListenOverflows": 5}, "too slowly"),
        ("net.core.netdev_max_backlog", "8000", {"Softnet.Dropped": 5}, "rps_cpus"),
        (f"{NF}max", "4000000", {}, "no room"),
    ],
)
def test_what_runs_over_however_long_it_is_gets_no_longer(
    name: str, value: str, grown: dict[str, int], says: str
) -> None:
    queue = Listening(port=80, backlog=65_535, waiting=0, inode=8)
    changed = {name: value, f"{NF}count": "4000000"} if says == "no room" else {name: value}

    found = loud(machine(changed, grown=grown, sockets=sockets(listening=[queue])))[name]

    assert says in found.says
    assert found.do == ()


def test_an_overflow_of_a_queue_that_the_setting_does_not_cap_is_not_its_fault() -> None:
    assert loud(machine({}, grown={"TcpExt.ListenOverflows": 5})) == {}


@pytest.mark.parametrize(
    ("count", "grade"),
    [(49_151, None), (49_152, Grade.ADVICE), (58_983, Grade.WRONG)],
)
def test_a_table_of_connections_is_told_before_it_is_full(count: int, grade: Grade | None) -> None:
    found = loud(machine({f"{NF}count": str(count)}))

    assert found.get(f"{NF}max") is None if grade is None else found[f"{NF}max"].grade is grade


@pytest.mark.parametrize(
    ("reserved", "is_told"), [("", True), ("8000-8100", False), ("80,9000", True)]
)
def test_a_service_in_the_range_of_local_ports_is_told_unless_reserved(
    reserved: str, *, is_told: bool
) -> None:
    service = Listening(port=8080, backlog=511, waiting=0, inode=8)
    changed = {
        f"{V4}ip_local_port_range": "1024 65535",
        f"{V4}ip_local_reserved_ports": reserved,
    }

    found = loud(machine(changed, sockets=sockets(listening=[service])))

    assert "8080" in found[f"{V4}ip_local_port_range"].says if is_told else not found


def test_reuse_without_timestamps_does_nothing() -> None:
    found = loud(machine({f"{V4}tcp_tw_reuse": "1", f"{V4}tcp_timestamps": "0"}))

    assert "nothing" in found[f"{V4}tcp_tw_reuse"].says


def test_tcp_above_its_second_number_is_wrong() -> None:
    found = loud(machine({}, counters={"Sockstat.TCP.mem": 58_996}))

    assert found[f"{V4}tcp_mem"].grade is Grade.WRONG


def test_a_line_for_what_this_kernel_lacks_is_told_with_its_place() -> None:
    lines = tuple(
        Written(file="/etc/sysctl.conf", line=number, name=name, value="1")
        for number, name in enumerate(
            (
                f"{V4}tcp_tw_recycle",
                f"{V4}ip_conntrack_max",
                f"{V4}netfilter.ip_conntrack_tcp_timeout_established",
                f"{V4}never_heard_of",
            ),
            1,
        )
    )

    found = loud(machine({}, written=lines))

    assert [name.split()[0] for name in found] == [f"/etc/sysctl.conf:{n}" for n in (1, 2, 3)]
    assert all("no such setting" in one.says for one in found.values())


def test_of_a_name_the_last_line_counts_and_only_if_it_says_something_else() -> None:
    name = f"{V4}tcp_fin_timeout"
    first = Written(file="/etc/sysctl.d/10.conf", line=1, name=name, value="2")
    last = Written(file="/etc/sysctl.conf", line=7, name=name, value="60")

    assert loud(machine({}, written=(first, last))) == {}
    (found,) = loud(machine({}, written=(last, first))).values()
    assert (found.name, "60 is in force" in found.says) == (f"/etc/sysctl.d/10.conf:1 {name}", True)


def test_hundreds_of_lines_are_no_hundreds_of_findings() -> None:
    lines = tuple(
        Written(file="/etc/sysctl.conf", line=one, name=f"x.ip_conntrack_{one}", value="1")
        for one in range(300)
    )

    assert len(loud(machine({}, written=lines))) == 20


@given(st.sampled_from(NAMES), st.text(max_size=200))
def test_whatever_a_setting_says_nothing_breaks_and_no_terminal_is_moved(
    name: str, value: str
) -> None:
    for one in of_settings(machine({name: value})):
        assert one.value.isprintable()
        assert one.says.isprintable()


def test_each_setting_is_on_the_page_once_and_in_the_table_once() -> None:
    page = PAGE.read_text()
    names = [one.name for one in SETTINGS]

    assert len(names) == len(set(names))
    assert [name for name in names if f"| `{name}` |" not in page] == []

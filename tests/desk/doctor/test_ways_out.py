"""Local ports, by destination."""

from ipaddress import ip_address

import pytest

from agent.desk.doctor.values import Grade
from agent.desk.doctor.ways_out import reserved, ways_out
from agent.observe.table.values import OUTGOING, Destination, Listening, Uses
from tests.desk.doctor.sick import facts, sock, sockets

RANGE = (40_000, 40_999)
DB = Destination(local=ip_address("10.0.0.1"), remote=ip_address("10.0.0.5"), port=5432)
OWN = Destination(local=ip_address("127.0.0.1"), remote=ip_address("127.0.0.1"), port=5432)
REUSE = "net.ipv4.tcp_tw_reuse"


@pytest.mark.parametrize(
    ("to", "used", "settings", "grade"),
    [
        pytest.param(DB, (0, 949), {}, Grade.FINE, id="some-left"),
        pytest.param(DB, (0, 950), {}, Grade.WRONG, id="the-last-twentieth"),
        pytest.param(DB, (500, 450), {}, Grade.WRONG, id="together-with-time-wait"),
        pytest.param(DB, (900, 50), {REUSE: "1"}, Grade.FINE, id="reused"),
        pytest.param(DB, (900, 50), {REUSE: "2"}, Grade.WRONG, id="reused-on-loopback-only"),
        pytest.param(OWN, (900, 50), {REUSE: "2"}, Grade.FINE, id="loopback"),
        pytest.param(
            DB,
            (0, 855),
            {"net.ipv4.ip_local_reserved_ports": "1-9,40100-40199"},
            Grade.WRONG,
            id="reserved-ones-are-none",
        ),
    ],
)
def test_one_destination_is_held_against_what_the_kernel_may_choose(
    to: Destination, used: tuple[int, int], settings: dict[str, str], grade: Grade
) -> None:
    uses = {to: Uses(lingering=used[0], live=used[1])}
    (found,) = ways_out(facts(sockets(destinations=uses, port_range=RANGE), settings=settings))
    assert found.grade is grade


def test_many_destinations_share_the_ports() -> None:
    uses = {
        Destination(local=DB.local, remote=ip_address(f"10.0.1.{n}"), port=443): Uses(
            lingering=400, live=400
        )
        for n in range(20)
    }
    (found,) = ways_out(facts(sockets(destinations=uses, port_range=RANGE)))
    assert (found.grade, found.value) == (Grade.FINE, "800 of 1000")


def test_who_holds_them_is_named_and_a_wider_range_advised() -> None:
    kept = [sock(port=OUTGOING, remote=DB.remote, remote_port=5432)] * 960
    here = sockets(kept, destinations={DB: Uses(lingering=0, live=960)}, port_range=RANGE)
    (found,) = ways_out(facts(here))

    assert "from 10.0.0.1 to 10.0.0.5 port 5432 take 960: 960 open" in found.says
    assert "held by api (pid 70): 960" in found.says
    assert 'sysctl -w net.ipv4.ip_local_port_range="10240 60999"' in found.do
    assert not any(REUSE in line for line in found.do)


@pytest.mark.parametrize(("timestamps", "is_advised"), [("1", True), ("0", False)])
def test_reuse_is_advised_where_it_works(timestamps: str, is_advised: bool) -> None:
    here = sockets(destinations={DB: Uses(lingering=990, live=5)}, port_range=RANGE)
    (found,) = ways_out(facts(here, settings={"net.ipv4.tcp_timestamps": timestamps}))
    assert any(f"{REUSE}=1" in line for line in found.do) is is_advised


def test_a_range_that_is_all_reserved_does_not_divide_by_nothing() -> None:
    one = Listening(port=40_000, waiting=0, backlog=1, inode=1)
    here = sockets(listening=[one], port_range=(40_000, 40_000))
    (found,) = ways_out(facts(here))
    assert found.value == "0 of 1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("8080", [(8080, 8080)]),
        ("8080,9148-9150", [(8080, 8080), (9148, 9150)]),
        ("x,1-,-2", [(1, 1)]),
    ],
)
def test_reserved_ports_are_read(text: str, expected: list[tuple[int, int]]) -> None:
    assert list(reserved(text)) == expected

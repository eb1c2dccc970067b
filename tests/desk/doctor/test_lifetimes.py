"""Short against long connections."""

from agent.desk.doctor.lifetimes import lifetimes
from agent.desk.doctor.values import Grade
from agent.observe.table.values import OUTGOING
from tests.desk.doctor.sick import facts, grades, once, sock, sockets

OPENED = {"Tcp.PassiveOpens": 90, "Tcp.ActiveOpens": 10}


def test_how_long_one_stays_follows_from_how_many_come() -> None:
    here = sockets([sock()] * 80 + [sock(port=OUTGOING)] * 20)
    before = sockets([sock()] * 40)
    established, living = lifetimes(facts(here, before, grown=OPENED, counters=OPENED))

    assert established.says == "open connections: 80 to services here, 20 opened from here"
    assert living.value == "50.0/s"
    assert living.says == (
        "in 2s 100 were opened, of 40 open at first 40 still are, so one stays for 1s400ms "
        "on average"
    )


def test_nothing_opened_has_no_average() -> None:
    _, living = lifetimes(facts(sockets([sock()]), counters=OPENED))
    assert living.says == "in 2s 0 were opened, of 1 open at first 1 still are"


def test_without_the_kernels_counters_nothing_is_said_of_what_was_opened() -> None:
    _, living = lifetimes(facts(sockets([sock()])))
    assert (living.says, living.value) == ("watched for 2s, of 1 open at first 1 still are", "")


def test_it_is_never_an_illness_and_one_look_tells_no_length() -> None:
    told = facts(sockets([sock()] * 5_000), grown=OPENED)
    assert set(grades(lifetimes(told)).values()) == {Grade.FINE}
    assert set(grades(lifetimes(once(told)))) == {"ESTABLISHED"}

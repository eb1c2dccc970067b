"""Some of many sockets, by their cookies."""

from agent.observe.table.some import Some


def test_all_are_kept_while_there_is_room() -> None:
    some = Some(100)
    for cookie in range(1, 101):
        some.add(cookie, cookie)

    assert (len(some.rows), some.step) == (100, 1)


def test_of_many_an_even_share_is_kept_and_says_for_how_many_it_speaks() -> None:
    some = Some(100)
    for cookie in range(1, 10_001):
        if some.wants(cookie):
            some.add(cookie, cookie)

    assert some.step == 128
    assert sorted(some.rows) == list(range(128, 10_001, 128))


def test_cookies_without_a_common_divisor_do_not_overflow() -> None:
    some = Some(10)
    for cookie in range(0, 1 << 14, 1 << 7):
        some.add(cookie, None)

    assert len(some.rows) <= 10

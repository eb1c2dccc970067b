"""The heaviest things, in bounded room."""

from agent.observe.table.heavy import Heavy


def key(number: int) -> tuple[bytes, ...]:
    return (number.to_bytes(4),)


def test_counts_are_exact_while_there_is_room() -> None:
    heavy = Heavy(10)
    for number in range(10):
        for _ in range(number + 1):
            heavy.add(key(number), number % 2)

    assert heavy.counts[key(9)] == [0, 10]
    assert heavy.counts[key(8)] == [9, 0]


def test_a_crowd_of_others_does_not_push_the_heaviest_out() -> None:
    heavy = Heavy(100)
    for number in range(10_000):
        heavy.add(key(number), 0)
        if number % 4 == 0:
            heavy.add(key(1 << 30), number % 8 == 0)

    assert len(heavy.counts) <= 100
    assert 2_500 - 2 * 12_500 / 100 <= sum(heavy.counts[key(1 << 30)]) <= 2_500
    assert all(sum(one) <= 1 for name, one in heavy.counts.items() if name != key(1 << 30))

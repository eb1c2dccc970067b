from agent.cli.bans import lines_of

ROWS = [
    ("2001:db8:18:5::/64", "drop ssh", "9m58s", "3d27", "by hand: \x1b[2Jscans us every night"),
    ("192.0.2.1", "throttle web", "5s", "e604", "web-half-open: 70"),
]


def test_bans_are_a_table_with_a_header() -> None:
    assert lines_of(ROWS, None) == [
        "SOURCE              KEPT FROM     LEFT   ID    WHY",
        "2001:db8:18:5::/64  drop ssh      9m58s  3d27  by hand: \\x1b[2Jscans us every night",
        "192.0.2.1           throttle web  5s     e604  web-half-open: 70",
    ]


def test_a_terminal_gets_lines_that_fit() -> None:
    lines = lines_of(ROWS, 70)

    assert max(map(len, lines)) == 70
    assert lines[1].endswith("by hand: \\x1b[2Jscan...")
    assert lines[2].endswith("web-half-open: 70")


def test_a_reason_is_never_cut_to_nothing() -> None:
    assert lines_of(ROWS, 10)[1].endswith("  by hand: \\x1b[2Js...")

"""The tables of the ledger's file, the steps that made them, and all that is said to them."""

# ruff: noqa: S608 - every statement is made of the constants of this module

APPLICATION_ID = 0x4142_4147
"""``ABAG``, in the header of every file of ours. Source: sqlite.org/fileformat2.html 1.3.14."""

SIGN = b"-- a ledger of abuse-agent"
"""Stands in the text of the first table, to know a file of ours whose header is damaged."""

MIGRATIONS = (
    (
        """
    CREATE TABLE bans ( -- a ledger of abuse-agent
        serial INTEGER PRIMARY KEY,
        ban_id TEXT NOT NULL UNIQUE,
        source TEXT NOT NULL,
        zone INTEGER NOT NULL,
        answer TEXT NOT NULL,
        rate_count INTEGER,
        rate_us INTEGER,
        scope TEXT NOT NULL,
        service TEXT,
        ports TEXT,
        rule TEXT NOT NULL,
        measure TEXT,
        counted INTEGER,
        above INTEGER,
        lasts_us INTEGER NOT NULL,
        reasons TEXT NOT NULL,
        policy_sha256 TEXT NOT NULL,
        begins_us INTEGER NOT NULL,
        boot_id TEXT NOT NULL,
        ends_mono_us INTEGER NOT NULL,
        state TEXT NOT NULL
            CHECK (state IN ('intended', 'in force', 'expired', 'lifted', 'forgiven', 'failed')),
        ended_us INTEGER,
        held INTEGER NOT NULL
    )""",
        "CREATE TABLE counter (value INTEGER NOT NULL)",
        "INSERT INTO counter VALUES (0)",
    ),
    (
        """
    CREATE TABLE permits (
        serial INTEGER PRIMARY KEY,
        prefix TEXT NOT NULL UNIQUE,
        why TEXT NOT NULL,
        lasts_us INTEGER NOT NULL,
        begins_us INTEGER NOT NULL,
        boot_id TEXT NOT NULL,
        ends_mono_us INTEGER NOT NULL
    )""",
    ),
)
"""What makes each version of the schema of the one before, each in a transaction of its own."""

INTENDED, IN_FORCE, FAILED = "intended", "in force", "failed"
LIVE = frozenset({INTENDED, IN_FORCE})

BAN_COLUMNS = (
    "ban_id, source, zone, answer, rate_count, rate_us, scope, service, ports, rule, measure, "
    "counted, above, lasts_us, reasons, policy_sha256, begins_us, boot_id, ends_mono_us, state, "
    "ended_us, held"
)
PERMIT_COLUMNS = "prefix, why, lasts_us, begins_us, boot_id, ends_mono_us"
STATE_AT = 19
"""Where a row of a ban has its state; its id stands first."""

_SET_BEGIN = "SET serial = excluded.serial, begins_us = excluded.begins_us, "
_SET_CLOCKS = "boot_id = excluded.boot_id, ends_mono_us = excluded.ends_mono_us"

PUT_BAN = f"""
    INSERT INTO bans (serial, {BAN_COLUMNS}) VALUES ({", ".join("?" * 23)})
    ON CONFLICT (ban_id) DO UPDATE {_SET_BEGIN} {_SET_CLOCKS}, state = excluded.state,
        ended_us = excluded.ended_us, held = max(held, excluded.held)
    WHERE state IN ('intended', 'in force', 'failed')
"""
"""What is over stays over, whoever ended it."""

PUT_PERMIT = f"""
    INSERT INTO permits (serial, {PERMIT_COLUMNS}) VALUES ({", ".join("?" * 7)})
    ON CONFLICT (prefix) DO UPDATE {_SET_BEGIN} {_SET_CLOCKS}, why = excluded.why,
        lasts_us = excluded.lasts_us
"""

_LIVE = "state IN ('intended', 'in force')"
_BANS = f"SELECT {BAN_COLUMNS} FROM bans"
_PERMITS = f"SELECT {PERMIT_COLUMNS} FROM permits"
_BETWEEN = "WHERE serial > ? AND serial <= ? ORDER BY serial"
CHANGED_BANS = f"{_BANS} {_BETWEEN}"
CHANGED_PERMITS = f"{_PERMITS} {_BETWEEN}"
LIVE_BANS = f"{_BANS} WHERE {_LIVE} ORDER BY serial"
ALL_PERMITS = f"{_PERMITS} ORDER BY serial"
HIGHEST_SERIAL = """
    SELECT max(ifnull((SELECT max(serial) FROM bans), 0),
               ifnull((SELECT max(serial) FROM permits), 0))
"""
_OVER = "state IN ('expired', 'lifted', 'forgiven')"
PAST_BANS = f"""
    SELECT ban_id, source, zone, begins_us, lasts_us, state, ended_us, held, answer, measure
    FROM bans
    WHERE {_OVER} AND begins_us >= ? ORDER BY serial DESC LIMIT ?
"""
OVERLAPS = "overlaps"
"""A function of whoever reads: whether a source, as text, is wanted."""

EARLIER_BANS = f"""
    {_BANS} WHERE {_OVER} AND held AND {OVERLAPS}(source) ORDER BY begins_us DESC LIMIT ?
"""
LIVE_STAMPS = f"""
    SELECT begins_us, boot_id, ends_mono_us, lasts_us FROM bans WHERE {_LIVE}
    UNION ALL SELECT begins_us, boot_id, ends_mono_us, lasts_us FROM permits
"""
COUNT_OVER = f"SELECT count(*) FROM bans WHERE NOT {_LIVE}"
PRUNE_OLD = f"""
    DELETE FROM bans WHERE serial IN (
        SELECT serial FROM bans WHERE NOT {_LIVE} AND begins_us + lasts_us < ? LIMIT ?)
"""
PRUNE_SURPLUS = f"""
    DELETE FROM bans WHERE serial IN (
        SELECT serial FROM bans WHERE NOT {_LIVE} ORDER BY serial LIMIT ?)
"""
PRUNE_PERMITS = "DELETE FROM permits WHERE begins_us + lasts_us < ?"

"""The JSON of an explanation: the same keys whatever is known, and null for what is not."""

import json

from agent.cli.explained import fields_of
from agent.desk.explain.values import Above, Kept, Peak, Present, Taped, Who
from agent.model.sample import State
from agent.observe.owners import Owners
from tests.builders import NOW, ban, held
from tests.desk.explain.moments import banned, told

KEYS = {
    "source",
    "judged_as",
    "answer",
    "at",
    "agent",
    "policy",
    "who",
    "now",
    "rules",
    "bans",
    "firewall",
    "tape",
    "unread",
}


def test_all_that_is_known_has_its_place() -> None:
    peak = Peak(count=5, at=NOW)
    taped = Taped(
        frames=1,
        begins=NOW,
        ends=NOW,
        peaks={("web", State.ESTABLISHED): peak},
        above={"web": Above(cycles=1, first=NOW, last=NOW, most=peak)},
    )
    explained = told(
        past=banned(),
        kept=Kept(firewall="nftables", bans=(held(ban()),)),
        who=Who(owners=Owners(sockets={(7, "nginx"): 5})),
    )
    found = json.loads(json.dumps(fields_of(explained, taped, "")))

    assert found.keys() == KEYS
    assert found["agent"] == {"pid": 7, "version": ""}
    assert found["bans"]["in_force"][0]["left_s"] == 480
    assert found["firewall"]["bans"][0]["ban_id"] == "b1"
    assert found["rules"][0]["count"] == 5
    assert found["rules"][0]["finding"] is None
    assert found["now"]["sockets"] == [{"service": "web", "state": "ESTABLISHED", "count": 5}]
    assert found["who"]["processes"] == [{"pid": 7, "name": "nginx", "sockets": 5}]
    assert found["tape"]["above"]["web"]["most"]["count"] == 5


def test_what_is_not_known_is_null_with_the_reason_beside() -> None:
    why = {"state": "a", "sockets": "b", "firewall": "c"}
    explained = told(agent=None, past=None, kept=None, present=Present(), rulings=(), unread=why)
    found = json.loads(json.dumps(fields_of(explained, None, "no tape")))

    assert found.keys() == KEYS
    for key in ("agent", "now", "rules", "bans", "firewall", "tape"):
        assert found[key] is None, key
    assert found["who"]["processes"] is None
    assert found["unread"] == {**why, "tape": "no tape"}


def test_the_queues_alone_may_be_unknown() -> None:
    explained = told(present=Present(own={("web", State.ESTABLISHED): 1}))
    found = fields_of(explained, None, "")["now"]

    assert isinstance(found, dict)
    assert found["queues"] is None
    assert found["outgoing"] is None

"""Every policy that comes with the agent, by every firewall: a command finds it as it was made."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from agent.act.interface import Firewall
from agent.act.iptables.firewall import Iptables
from agent.act.nftables.firewall import Nftables
from agent.decide.layout import layout_of
from agent.policy import load_policy
from tests.range import in_namespace

pytestmark = pytest.mark.root

POLICIES = sorted((Path(__file__).parents[2] / "policies").glob("*.yaml"))
FIREWALLS = {
    "nftables": Nftables,
    "iptables-legacy": partial(Iptables, "-legacy"),
    "iptables-nft": partial(Iptables, "-nft"),
}


@pytest.mark.parametrize("policy", POLICIES, ids=lambda one: one.stem)
@pytest.mark.parametrize("make", FIREWALLS.values(), ids=FIREWALLS)
def test_what_one_object_made_is_whole_for_another(
    make: Callable[[], Firewall], policy: Path, namespace: str
) -> None:
    layout = layout_of(load_policy([str(policy)]))
    with in_namespace(namespace):
        make().prepare(layout)

        assert make().missing(layout) == ()
        assert make().prepare(layout) == ()

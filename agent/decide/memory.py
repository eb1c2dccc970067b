"""What one cycle hands to the next. The loop carries it and never looks inside."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.decide.ask import Asked
from agent.decide.bans.breaker import Fuse
from agent.decide.grants import Grants
from agent.decide.machine.watch import Watch
from agent.decide.prefixes import PrefixTable
from agent.decide.proof import Proven
from agent.model.address import Prefix
from agent.model.ban import Held, Installed
from agent.model.learned import Clients, Learned
from agent.model.policy import Rule
from agent.model.verdict import Finding, Verdict


@dataclass(frozen=True, slots=True)
class Track:
    """One source under one rule, for as long as it is near the limit.

    Attributes:
        samples: A bit for each of the rule's last samples, the newest lowest: above or not.
        quiet: Samples in a row in which it was not even near the limit.
        told: What has been told of it since it came near.
        last: Its newest verdict.
    """

    samples: int
    quiet: int
    told: frozenset[Finding]
    last: Verdict


@dataclass(frozen=True, slots=True)
class Tables:
    """What a firewall holds, made ready for look-ups.

    Attributes:
        installed: Of what; the same object while nothing changed.
        held: Its bans.
        allowed: Its allow set.
    """

    installed: Installed
    held: PrefixTable[Held]
    allowed: PrefixTable[Prefix]


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """All that the judgement remembers; every part of it is bounded.

    Attributes:
        tracks: By rule and key. A rule that was changed is another rule.
        proven: Who was ESTABLISHED lately.
        grants: The look-up tables of the last cycle, to be used again.
        swept: By what the installed bans were checked, together with those grants: the allow
            set that was held then, and the entries that had ended; None for not at all.
        tables: What was installed at the last look into it, to be looked up again.
        cycle: How many moments were judged.
        asked: Whose names were asked about.
        clients: Who was here before: the known clients.
        fuse: The breaker.
        watch: What is going on at the machine as a whole.
    """

    tracks: Mapping[Rule, Mapping[bytes, Track]] = field(default_factory=dict)
    proven: Proven = field(default_factory=Proven)
    grants: Grants | None = None
    swept: tuple[frozenset[Prefix], frozenset[str]] | None = None
    tables: Tables | None = None
    cycle: int = 0
    asked: Asked = field(default_factory=Asked)
    clients: Clients = field(default_factory=dict)
    fuse: Fuse = field(default_factory=Fuse)
    watch: Watch = field(default_factory=Watch)

    @classmethod
    def of(cls, learned: Learned) -> "Memory":
        """Begin with what an earlier run has learned."""
        return cls(
            proven=Proven.of(learned.clients),
            clients=learned.clients,
            fuse=Fuse.of(learned.tried),
        )

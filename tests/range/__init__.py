"""A test range: hosts as network namespaces with real clients, and their removal."""

from tests.range.daemons import Daemon, dnsmasq, nginx, started
from tests.range.forge import forge_syns
from tests.range.hosts import Hosts, eventually, two_hosts
from tests.range.namespaces import in_namespace, ip, namespace, why_not
from tests.range.programs import Held, Visits, connect, serve, visit

__all__ = [
    "Daemon",
    "Held",
    "Hosts",
    "Visits",
    "connect",
    "dnsmasq",
    "eventually",
    "forge_syns",
    "in_namespace",
    "ip",
    "namespace",
    "nginx",
    "serve",
    "started",
    "two_hosts",
    "visit",
    "why_not",
]

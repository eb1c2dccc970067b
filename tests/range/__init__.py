"""A test range: hosts as network namespaces with real clients, and their removal."""

from tests.range.forge import forge_syns
from tests.range.hosts import Hosts, eventually, two_hosts
from tests.range.namespaces import in_namespace, ip, namespace, why_not
from tests.range.programs import Held, connect, serve

__all__ = [
    "Held",
    "Hosts",
    "connect",
    "eventually",
    "forge_syns",
    "in_namespace",
    "ip",
    "namespace",
    "serve",
    "two_hosts",
    "why_not",
]

"""What comments say of ddos-deflate: where it counts otherwise, and what has no counterpart."""

from agent.desk.imports.common import COMMON
from agent.desk.imports.reader import Reader

DIFFERS = (
    (
        "It counts TCP and UDP, incoming and outgoing. Here only TCP connections to ports that "
        "this machine listens on count."
    ),
    *COMMON,
)
NO_PORTS = "a limit of web connections needs both HTTP_PORTS and NO_OF_CONNECTIONS_HTTP"
NO_PORT_RULE = "no new limit as 80:150:600 (port or range, connections, seconds)"
NAMES = (
    "Looked up again and again, off the cycle. A crawler's domain is no host: list crawlers",
    "by their reverse names instead (names: [googlebot.com]).",
)

_RUN = "paths and programs of its own: nothing of it is run here"
_FIREWALL = "abuse-agent --firewall chooses: auto, iptables or nftables"
_BANDWIDTH = "bandwidth is not counted here"
_HOSTS_FILE = "/etc/hosts is not read: list whom you mean"
_FTP = "for ftp: no limit of it was ever in force"
_LIST = "the list lies beside the configuration, or it is given as a PATH"

_WHY = {
    **dict.fromkeys(
        ("PROGDIR", "SBINDIR", "PROG", "CRON", "APF", "CSF", "IPF", "IPT", "IPT6", "TC"), _RUN
    ),
    "FREQ": "minutes between runs by cron: the agent runs all the time, see every",
    "FIREWALL": _FIREWALL,
    "APF_BAN": _FIREWALL,
    "EMAIL_TO": "no mail is sent: the journal tells of each ban (ban.applied)",
    "ONLY_INCOMING": "only connections to listening ports count here, always",
    "CONN_STATES_NS": "for netstat where ss is missing: CONN_STATES holds",
    "ENABLE_CLOUDFLARE": "a proxy's visitors have its addresses: list them in trusted_proxies, "
    "with ranges/cloudflare.txt",
    "ENABLE_TCPKILL": "a ban closes live connections, always",
    **dict.fromkeys(
        (
            "BANDWIDTH_CONTROL",
            "BANDWIDTH_CONTROL_LIMIT",
            "BANDWIDTH_DROP_RATE",
            "BANDWIDTH_DROP_PERIOD",
            "BANDWIDTH_ONLY_INCOMING",
            "BANDWIDTH_INTERFACES",
        ),
        _BANDWIDTH,
    ),
    "IGNORE_KNOW_HOSTS": _HOSTS_FILE,
    "KNOW_HOST_FILE": _HOSTS_FILE,
    "IGNORE_IP_LIST": _LIST,
    "IGNORE_HOST_LIST": _LIST,
    **dict.fromkeys(
        ("FTP_NOT_IN_TOTAL", "FTP_ACTIVE_PORTS", "FTP_PASSIVE_PORTS", "NO_OF_CONNECTIONS_FTP"), _FTP
    ),
}

KNOWN = frozenset(
    {
        *_WHY,
        *("NO_OF_CONNECTIONS", "BAN_PERIOD", "CONN_STATES", "KILL", "DAEMON_FREQ"),
        *("ENABLE_PORTS", "PORT_CONNECTIONS", "NO_OF_CONNECTIONS_HTTP", "HTTP_PORTS"),
    }
) - {"PROG", "CRON", "CSF", "TC"}
"""Settings by which a file is known as ddos-deflate's."""


def tell(reader: Reader) -> None:
    """Tell of all settings that have no counterpart."""
    for key in list(reader.left()):
        reader.tell(key, _WHY.get(key, "no setting of ddos-deflate that is known here"))

"""What comments say of CSF: where it counts otherwise, and what has no counterpart."""

from agent.desk.imports.common import COMMON
from agent.desk.imports.reader import Reader

DIFFERS = (
    (
        "It counts TCP and UDP, incoming and outgoing (incoming alone where CT_PORTS is set). Here "
        "only TCP connections to ports that this machine listens on count."
    ),
    *COMMON,
    "What csf does beside counting connections goes on only as long as csf runs.",
)
LISTS_DIFFER = ("Who is listed is exempt here, whatever the list is called.",)

_NOTHING = frozenset({"", "0"})
_OFF = "off there"

_WHY = {
    "CT_EMAIL_ALERT": "no mail is sent: the journal tells of each ban (ban.applied)",
    "CONNLIMIT": "it refuses connections above so many and bans nobody: leave it to the firewall, "
    "or write a rule",
    "PORTFLOOD": "new connections in a time are not counted here: leave it to the firewall",
    "SYNFLOOD": "it slows all SYNs down, honest ones too; a rule that counts half_open slows "
    "single sources, while SYNs press",
    "UDPFLOOD": "UDP is not judged here",
    "LF_NETBLOCK": "a rule with per: {ipv4: 24} and members is its like for connections",
    "DENY_IP_LIMIT": "safety: max_bans bounds how many bans there are; none ends early",
    "DENY_TEMP_IP_LIMIT": "safety: max_bans bounds how many bans there are; none ends early",
    "TESTING": "abuse-agent --dry-run touches nothing",
    "TESTING_INTERVAL": "abuse-agent --dry-run touches nothing",
    "IGNORE_ALLOW": "who is listed is exempt here, in whichever list",
    "DYNDNS": "hosts are looked up as long as DNS says (1 minute to 1 hour)",
    "DYNDNS_IGNORE": "who is listed is exempt here, in whichever list",
    "LF_IPSET": "bans are elements of sets, always",
    "DOCKER": "a ban of the host covers forwarded traffic too",
}

_BY_PREFIX = (
    (
        ("SYNFLOOD_", "UDPFLOOD_", "CONNLIMIT_", "LF_NETBLOCK_", "LF_IPSET_", "DOCKER_"),
        "goes with a setting that has no counterpart",
    ),
    (
        ("LF_DIRWATCH", "LF_INTEGRITY", "LF_EXPLOIT", "PT_", "AT_", "UID_", "ST_", "PS_"),
        "files, processes, accounts, load and port scans are not watched here",
    ),
    (
        ("LF_ALERT", "X_ARF", "BLOCK_REPORT", "UNBLOCK_REPORT", "LOGSCANNER", "SENDMAIL"),
        "no mail and no report is sent: the journal tells",
    ),
    (
        (
            *("LF_SPI", "LF_BOGON", "LF_BLOCKINONLY", "LF_GLOBAL", "LF_REPEATBLOCK", "LF_CSF"),
            *("TCP", "UDP", "ICMP", "IPV6", "CC_", "CC6_", "MM_", "GLOBAL_", "DROP", "PACKET_"),
            *("SMTP_", "DNS_", "ETH_", "ETH6_", "PORTKNOCKING", "MESSENGER", "SAFECHAIN", "CF_"),
            *("USE_", "FASTSTART", "WAITLOCK", "IPTABLES", "IP6TABLES", "SYSCTL", "URL", "IPSET"),
        ),
        "which ports, countries and lists get in stays the firewall's",
    ),
    (
        ("LF_", "LT_", "RT_", "RELAY", "SMTPAUTH", "CUSTOM", "HTACCESS", "MODSEC", "SSHD_"),
        "failed logins, and all else that logs tell, stay lfd's or fail2ban's",
    ),
)
_REST = "how csf itself works: nothing of it is run here"

KNOWN = frozenset({"CT_LIMIT", "CT_INTERVAL", "TCP_IN", "LF_DAEMON", "LF_TRIGGER", "CONNLIMIT"})
"""Settings by which a file is known as csf.conf."""


def tell(reader: Reader) -> None:
    """Tell of all settings that have no counterpart."""
    for key in list(reader.left()):
        value = reader.settings[key].value.strip()
        reader.tell(key, _why(key, is_off=value in _NOTHING))


def _why(key: str, *, is_off: bool) -> str:
    if key in _WHY:
        return _OFF if is_off else _WHY[key]
    return next((why for prefixes, why in _BY_PREFIX if key.startswith(prefixes)), _REST)

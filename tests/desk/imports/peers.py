"""Folders of peers, as their installers leave them: the settings alone, without their prose.

Source: config/ddos.conf and config/ignore.*.list of ddos-deflate 1.3.
"""

from pathlib import Path

from agent.desk.imports.importing import imported
from agent.model.policy import Policy, Rule
from agent.policy import PolicyText, parse_policy

DDOS_CONF = """\
# paths
PROGDIR="/usr/local/ddos"
SBINDIR="/usr/local/sbin"
PROG="$PROGDIR/ddos.sh"
IGNORE_IP_LIST="ignore.ip.list"
IGNORE_HOST_LIST="ignore.host.list"
CRON="/etc/cron.d/ddos"
APF="/usr/sbin/apf"
CSF="/usr/sbin/csf"
IPF="/sbin/ipfw"
IPT="/sbin/iptables"
IPT6="/sbin/ip6tables"
TC="/sbin/tc"
FREQ=1
DAEMON_FREQ=5
NO_OF_CONNECTIONS=150
ONLY_INCOMING=false
ENABLE_CLOUDFLARE=false
ENABLE_PORTS=false
PORT_CONNECTIONS="80:150:600 443:150:600 20-21:150:600"
FIREWALL="auto"
EMAIL_TO="root"
BAN_PERIOD=600
CONN_STATES="connected"
CONN_STATES_NS="ESTABLISHED|SYN_SENT|SYN_RECV|FIN_WAIT1|FIN_WAIT2|TIME_WAIT|CLOSE_WAIT|LAST_ACK"
BANDWIDTH_CONTROL=false
BANDWIDTH_CONTROL_LIMIT="1896kbit"
BANDWIDTH_DROP_RATE="512kbit"
BANDWIDTH_DROP_PERIOD=600
BANDWIDTH_ONLY_INCOMING=true
"""
IGNORED = "127.0.0.0/8\n10.0.0.0/8\n172.16.0.0/12\n192.168.0.0/16\n"
HOSTS = "# one a line\n#dynamic-ip.example.com\ngooglebot.com"


def deflate(folder: Path, conf: str = DDOS_CONF, ips: str = IGNORED, hosts: str = HOSTS) -> Path:
    """Write a folder of ddos-deflate."""
    return written(folder, {"ddos.conf": conf, "ignore.ip.list": ips, "ignore.host.list": hosts})


def written(folder: Path, files: dict[str, str]) -> Path:
    """Write files into a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def text_of(peer: str, *paths: Path) -> str:
    """Give the text that is imported."""
    return imported(peer, paths, None).text


def policy_of(peer: str, *paths: Path) -> Policy:
    """Give the policy that is imported."""
    return parsed(text_of(peer, *paths))


def parsed(text: str) -> Policy:
    """Read a policy, as `check` does."""
    return parse_policy((PolicyText(file="imported.yaml", folder="/", raw=text.encode()),))


def rules_of(policy: Policy) -> dict[str, Rule]:
    """Give the rules by their names."""
    return {rule.name: rule for rule in policy.rules}


def prefixes_of(policy: Policy) -> dict[str, list[str]]:
    """Give the networks of each entry that lists some."""
    return {
        entry.name: [str(one) for one in entry.prefixes]
        for entry in policy.allowlist
        if entry.prefixes
    }


def comments_of(text: str) -> str:
    """Give all comments as one line."""
    return " ".join(" ".join(line.partition("#")[2] for line in text.split("\n")).split())

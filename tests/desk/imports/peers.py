"""Folders of peers, as their installers leave them: the settings alone, without their prose.

Source: config/ddos.conf and config/ignore.*.list of ddos-deflate 1.3; csf.generic.conf of CSF 14;
jail.conf, paths-debian.conf and jail.d/defaults-debian.conf of fail2ban 1.0.2 in Debian 12.
"""

import re
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

CSF_SETTINGS = """\
TESTING=1 TESTING_INTERVAL=5 RESTRICT_SYSLOG=0 RESTRICT_UI=1 AUTO_UPDATES=1 LF_SPI=1
TCP_IN=20,21,22,25,53,853,80,110,143,443,465,587,993,995 TCP_OUT=20,21,22,25,53,853,80,110,113,443
UDP_IN=20,21,53,853,80,443 UDP_OUT=20,21,53,853,113,123 ICMP_IN=1 ICMP_IN_RATE=1/s ICMP_OUT=1
IPV6=0 USE_CONNTRACK=1 USE_FTPHELPER=0 SYSLOG_CHECK=0 IGNORE_ALLOW=0 DNS_STRICT=0 DENY_IP_LIMIT=200
DENY_TEMP_IP_LIMIT=100 LF_DAEMON=1 LF_CSF=1 FASTSTART=1 LF_IPSET=0 WAITLOCK=0 WAITLOCK_TIMEOUT=300
LF_IPSET_HASHSIZE=1024 LF_IPSET_MAXELEM=65536 LFDSTART=0 VERBOSE=1 PACKET_FILTER=1 LF_LOOKUPS=1
SMTP_BLOCK=0 SMTP_ALLOWLOCAL=1 SMTP_PORTS=25,465,587 SMTP_ALLOWUSER= SMTP_ALLOWGROUP=mail,mailman
SMTPAUTH_RESTRICT=0 SYNFLOOD=0 SYNFLOOD_RATE=100/s SYNFLOOD_BURST=150 CONNLIMIT= PORTFLOOD=
UDPFLOOD=0 UDPFLOOD_LIMIT=100/s UDPFLOOD_BURST=500 UDPFLOOD_ALLOWUSER=named SYSLOG=0 DROP=DROP
DROP_OUT=REJECT DROP_LOGGING=1 DROP_NOLOG=23,67,68,111,113,135:139,445,500,513,520
CONNLIMIT_LOGGING=0 LF_ALERT_TO= LF_ALERT_FROM= BLOCK_REPORT= X_ARF=0 LF_PERMBLOCK=1
LF_PERMBLOCK_INTERVAL=86400 LF_PERMBLOCK_COUNT=4 LF_PERMBLOCK_ALERT=1 LF_NETBLOCK=0
LF_NETBLOCK_INTERVAL=86400 LF_NETBLOCK_COUNT=4 LF_NETBLOCK_CLASS=C SAFECHAINUPDATE=0 DYNDNS=0
DYNDNS_IGNORE=0 LF_GLOBAL=0 GLOBAL_ALLOW= GLOBAL_DENY= URLGET=2 MM_LICENSE_KEY= CC_SRC=2 CC_DENY=
CC_ALLOW= CC_IGNORE= CC_LOOKUPS=1 CC_INTERVAL=14 LF_TRIGGER=0 LF_TRIGGER_PERM=1 LF_SELECT=0
LF_EMAIL_ALERT=1 LF_SSHD=5 LF_SSHD_PERM=1 LF_FTPD=10 LF_SMTPAUTH=5 LF_POP3D=0 LF_IMAPD=0
LF_HTACCESS=5 LF_MODSEC=5 LF_APACHE_404=0 LF_EXPLOIT=300 LF_INTERVAL=3600 LF_PARSE=5 LF_FLUSH=3600
LF_REPEATBLOCK=0 LF_BLOCKINONLY=0 CF_ENABLE=0 CF_BLOCK=block LF_DIRWATCH=300 LF_INTEGRITY=3600
LF_DISTATTACK=0 LF_DISTFTP=0 LT_POP3D=0 LT_IMAPD=0 LT_EMAIL_ALERT=1 CT_LIMIT=0 CT_INTERVAL=30
CT_EMAIL_ALERT=1 CT_PERMANENT=0 CT_BLOCK_TIME=1800 CT_SKIP_TIME_WAIT=0 CT_STATES= CT_PORTS=
CT_SUBNET_LIMIT=0 PT_LIMIT=60 PT_INTERVAL=60 PT_USERPROC=10 PT_LOAD=30 PS_INTERVAL=0 PS_LIMIT=10
UID_INTERVAL=0 AT_ALERT=2 UI=0 UI_PORT=6666 UI_USER=username UI_PASS=password MESSENGER=0
MESSENGER_USER=csf
"""
CSF_CONF = "".join(
    f'{key} = "{value}"\n'
    for key, _, value in (word.partition("=") for word in CSF_SETTINGS.split())
)
CSF_LISTS = {
    "csf.allow": "Include /etc/csf/cpanel.comodo.allow\nInclude /etc/csf/cpanel.allow\n",
    "csf.ignore": "127.0.0.1\n\nInclude /etc/csf/cpanel.comodo.ignore\n",
    "csf.rignore": "# .example.com\n",
    "csf.dyndns": "",
    "csf.deny": "",
    "cpanel.allow": "198.51.100.20 # updates\n",
}
JAIL_CONF = """\
[INCLUDES]
before = paths-debian.conf
[DEFAULT]
#ignoreself = true
#ignoreip = 127.0.0.1/8 ::1
ignorecommand =
bantime  = 10m
findtime  = 10m
maxretry = 5
maxmatches = %(maxretry)s
backend = auto
usedns = warn
logencoding = auto
enabled = false
mode = normal
filter = %(__name__)s[mode=%(mode)s]
port = 0:65535
banaction = iptables-multiport
action_ = %(banaction)s[port="%(port)s", protocol="%(protocol)s", chain="%(chain)s"]
action_mw = %(action_)s
            %(mta)s-whois[sender="%(sender)s", dest="%(destemail)s"]
action = %(action_)s
[sshd]
port    = ssh
logpath = %(sshd_log)s
backend = %(sshd_backend)s
[apache-badbots]
port     = http,https
logpath  = %(apache_access_log)s
bantime  = 48h
maxretry = 1
[postfix]
mode    = more
port    = smtp,465,submission
"""
FAIL2BAN = {
    "jail.conf": JAIL_CONF,
    "paths-debian.conf": "[DEFAULT]\nsshd_log = /var/log/auth.log\nsshd_backend = auto\n",
    "jail.d/defaults-debian.conf": "[sshd]\nenabled = true\n",
}


def csf(folder: Path, lists: dict[str, str] | None = None, /, **settings: str) -> Path:
    """Write a folder of CSF; settings are changed, lists replace those of their names."""
    conf = CSF_CONF
    for key, value in settings.items():
        conf = re.sub(rf'^{key} = ".*"$', f'{key} = "{value}"', conf, flags=re.MULTILINE)
    return written(folder, {"csf.conf": conf, **CSF_LISTS, **(lists or {})})


def fail2ban(folder: Path, **files: str) -> Path:
    """Write a folder of fail2ban; ``local`` is jail.local, other names are files of jail.d."""
    more = {
        "jail.local" if name == "local" else f"jail.d/{name.replace('_', '.')}": text
        for name, text in files.items()
    }
    return written(folder, {**FAIL2BAN, **more})


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

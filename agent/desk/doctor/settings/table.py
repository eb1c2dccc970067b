"""All settings that the doctor knows: a new one is one more entry of these."""

from agent.desk.doctor.scale import LIMITS
from agent.desk.doctor.settings.closing import CLOSING
from agent.desk.doctor.settings.going import GOING
from agent.desk.doctor.settings.listening import LISTENING
from agent.desk.doctor.settings.tracking import COUNT, OTHER_MAX, TRACKING

SETTINGS = (*LISTENING, *CLOSING, *GOING, *TRACKING)
GONE = {
    "net.ipv4.tcp_tw_recycle": "it is gone since Linux 4.12, and broke clients behind NAT before",
    "net.ipv4.ip_conntrack_max": "net.netfilter.nf_conntrack_max is its name today",
    "net.ipv4.netfilter.ip_conntrack_max": "net.netfilter.nf_conntrack_max is its name today",
    "net.ipv4.tcp_max_ssthresh": "no kernel of today has it",
}

NAMES = tuple(dict.fromkeys((*(one.name for one in SETTINGS), *LIMITS, COUNT, OTHER_MAX, *GONE)))
"""All that are read: some tell only together with others, and some only whether they are there."""

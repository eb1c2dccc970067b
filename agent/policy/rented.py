"""Domains below which anybody can have a host: a confirmed name there tells nobody's identity.

A name that holds for one machine alone is nobody else's, so it may be listed. How many
labels stand in front of the domain in such a name is a matter of the vendor.

Source: the vendors' own pages on reverse names and host names: Google Compute Engine
("PTR records", bc.googleusercontent.com) and its list of user-triggered fetchers
(gae.googleusercontent.com), Amazon EC2 ("instance hostname types"), Azure ("reverse DNS"),
Linode ("configure rDNS"), Vultr, Hetzner, OVHcloud, Contabo, Scaleway, Hostinger, GoDaddy;
publicsuffix.org for what registries sell.
"""

import re

MACHINE_LABELS = {
    "googleusercontent.com": 5,  # 4.3.2.1.bc
    "gae.googleusercontent.com": 1,  # 1-2-3-4
    "amazonaws.com": 3,  # ec2-1-2-3-4.eu-west-1.compute
    "compute-1.amazonaws.com": 1,  # ec2-1-2-3-4
    "amazonaws.com.cn": 3,  # ec2-1-2-3-4.cn-north-1.compute
    "cloudapp.azure.com": 2,  # name.westeurope
    "cloudapp.net": 1,
    "linodeusercontent.com": 2,  # 1-2-3-4.ip
    "members.linode.com": 1,
    "vultrusercontent.com": 4,  # 1.2.3.4
    "clients.your-server.de": 5,  # static.4.3.2.1, or 4.3.2.1 alone below static
    "vps.ovh.net": 1,
    "vps.ovh.ca": 1,
    "contaboserver.net": 1,
    "poneytelecom.eu": 2,  # 1-2-3-4.rev
    "scw.cloud": 3,  # id.pub.instances
    "hstgr.cloud": 1,
    "secureserver.net": 5,  # 4.3.2.1.host
}
"""By domain, how many labels in front of it make the name of one machine."""

_REGISTRY = re.compile(r"(ac|co|com|edu|gov|net|org)\.[a-z]{2}")
"""Below such a domain registries sell names to anybody, or give them to many."""


def is_anybodys(domain: str) -> bool:
    """Whether strangers can have a host with a name below `domain`, or with that very name."""
    if _REGISTRY.fullmatch(domain):
        return True
    if any(rented == domain or rented.endswith(f".{domain}") for rented in MACHINE_LABELS):
        return True
    fitting = [rented for rented in MACHINE_LABELS if domain.endswith(f".{rented}")]
    if not fitting:
        return False
    rented = max(fitting, key=len)
    return domain.removesuffix(f".{rented}").count(".") + 1 < MACHINE_LABELS[rented]

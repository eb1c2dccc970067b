"""Networks of large CDNs, from the range files that come with the agent."""

from collections.abc import Mapping
from pathlib import Path

from agent.errors import Fault
from agent.identify.range_files import read_ranges
from agent.model.address import Prefix

PACKAGED = Path(__file__).parents[1] / "policy" / "packaged" / "ranges"

CDNS: Mapping[str, str] = {
    "Cloudflare": "cloudflare.txt",
    "Fastly": "fastly.txt",
    "CloudFront": "cloudfront.txt",
    "Imperva": "imperva.txt",
    "Google Cloud": "google-load-balancers.txt",
}
"""By the name of the vendor the file of the machines that it reaches its customers from."""


def read_vendors(folder: Path = PACKAGED) -> Mapping[str, frozenset[Prefix]]:
    """Read them; a vendor whose file is not there, or damaged, is left out."""
    found = {vendor: read_ranges(str(folder / file)) for vendor, file in CDNS.items()}
    return {vendor: one.prefixes for vendor, one in found.items() if not isinstance(one, Fault)}

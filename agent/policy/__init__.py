"""Text -> Policy (pure), and path -> text apart from it."""

from agent.policy.cautions import policy_cautions
from agent.policy.excerpt import excerpt
from agent.policy.files import default_paths, load_policy, packaged_policy, read_files
from agent.policy.loader import Loader
from agent.policy.parse import parse_policy
from agent.policy.schema import policy_schema
from agent.policy.spots import spots_of
from agent.policy.text import PolicyText, Unread

__all__ = [
    "Loader",
    "PolicyText",
    "Unread",
    "default_paths",
    "excerpt",
    "load_policy",
    "packaged_policy",
    "parse_policy",
    "policy_cautions",
    "policy_schema",
    "read_files",
    "spots_of",
]

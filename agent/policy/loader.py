"""Reading the same policy again and again, with its text at hand."""

from dataclasses import dataclass

from agent.model.policy import Policy
from agent.policy.files import read_files
from agent.policy.parse import parse_policy
from agent.policy.text import PolicyText


@dataclass(slots=True)
class Loader:
    """Reads a policy whenever it is called.

    Attributes:
        paths: Its files and folders.
        texts: What the last good policy was made of.
        sha256: That policy's.
    """

    paths: tuple[str, ...]
    texts: tuple[PolicyText, ...] = ()
    sha256: str = ""

    def __call__(self) -> Policy:
        """Read the files as they are now.

        Raises:
            PolicyError: Something is wrong; the texts stay those of the last good policy.
        """
        texts = read_files(self.paths)
        policy = parse_policy(texts)
        self.texts = tuple(one for one in texts if isinstance(one, PolicyText))
        self.sha256 = policy.sha256
        return policy

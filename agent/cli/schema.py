"""``abuse-agent schema``: what editors need to help with a policy."""

import click

from agent.cli.output import show
from agent.policy import policy_schema


@click.command()
def schema() -> None:
    """Print the JSON schema of a policy file, for editors."""
    show(policy_schema())

"""``abuse-agent schema``: what editors need to help with a policy."""

import json

import click

from agent.policy import policy_schema


@click.command()
def schema() -> None:
    """Print the JSON schema of a policy file, for editors."""
    click.echo(json.dumps(policy_schema(), indent=2))

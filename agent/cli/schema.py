"""``abuse-agent schema``: what editors need to help with a policy."""

import click

from agent.cli.examples import examples
from agent.cli.output import show
from agent.policy import policy_schema


@click.command(
    epilog=examples(
        ("abuse-agent schema > policy.schema.json", "for yaml-language-server"),
    )
)
def schema() -> None:
    """Print the JSON schema of a policy file, for editors.

    An editor that speaks with yaml-language-server completes keys and names by it, tells
    what each is for, and marks what is wrong, once the first line of a policy is
    `# yaml-language-server: $schema=policy.schema.json`.
    """
    show(policy_schema())

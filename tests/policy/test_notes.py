"""What is right and will surprise is told beside the policy, and nothing else is."""

from pathlib import Path

from agent.policy import PolicyText, load_policy, parse_policy

ROOT = Path(__file__).parents[2]
HEAD = """\
version: 1
services: {web: {ports: 80}}
rules: [{name: a, service: web, count: connections, above: 10}]
"""


def notes(text: str) -> tuple[str, ...]:
    policy = PolicyText(file="p.yaml", folder="/", raw=(HEAD + text).encode())
    return parse_policy((policy,)).notes


def test_infrastructure_that_can_be_banned_is_noted() -> None:
    entry = "allowlist: [{name: x, kind: infrastructure, prefixes: [192.0.2.1], grants: %s}]\n"

    (note,) = notes(entry % "10x")
    assert note.startswith("p.yaml:4: x is infrastructure with 10x: it is judged")
    assert notes(entry % "exempt") == ()


def test_proxies_that_are_exempt_from_ssh_too_are_noted() -> None:
    block = "trusted_proxies: {prefixes: [192.0.2.1]%s}\n"

    (note,) = notes(block % "")
    assert note.startswith("p.yaml:4: trusted_proxies are exempt from every service")
    assert notes(block % ", services: [web]") == ()


def test_an_exemption_of_much_of_the_internet_is_noted() -> None:
    entry = "allowlist: [{name: x, kind: nat, prefixes: [%s], grants: %s}]\n"

    for prefix in ("0.0.0.0/0", "64.0.0.0/7", '"::/0"', '"2000::/3"'):
        (note,) = notes(entry % (prefix, "exempt"))
        assert note.startswith(f"p.yaml:4: x exempts {prefix.strip(chr(34))}: that is much of")
        (note,) = notes(entry % (prefix, "10x"))
        assert note.startswith(f"p.yaml:4: x has 10x for {prefix.strip(chr(34))}: that is much of")
    for prefix in ("10.0.0.0/8", '"fc00::/7"', '"2001::/16"'):
        assert notes(entry % (prefix, "exempt")) == ()
    assert len(notes("trusted_proxies: {prefixes: [0.0.0.0/0], services: [web]}\n")) == 1


def test_no_ready_made_policy_needs_a_note() -> None:
    for path in sorted((ROOT / "policies").glob("*.yaml")):
        assert load_policy([str(path)]).notes == ()

"""What abuse-agent(1) tells beside the help: where things lie, what steers it."""

SYNOPSIS = (
    "`abuse-agent` [`run`] [`--dry-run`] [*OPTION*]...",
    "`abuse-agent` *COMMAND* [*OPTION*]... [*ARGUMENT*]...",
)

DESCRIPTION = (
    (
        "It reads, every few seconds, who holds this machine's TCP connections, judges every "
        "source (a remote address, or a network) by policies, and bans the guilty from a service "
        "or from the host, for a time that the kernel ends. It reads no logs."
    ),
    (
        "Whom it must never ban it finds itself: own addresses, gateways, resolvers, and for ssh "
        "the far ends of sessions; others stand on the policy's allowlist. A ban of the host "
        "leaves ssh open. The policy is described in abuse-agent-policy(5)."
    ),
    (
        "Behind an option that is no command's, the command is `run`. `abuse-agent` *COMMAND* "
        "`--help` tells the options of a command, and so does its own page."
    ),
)

FILES = (
    (
        "/etc/abuse-agent/policies",
        (
            "The policy: all `*.yaml` in it, in name order. Where it is missing, the packaged "
            "default.yaml is the policy. The service's user has to be able to read it."
        ),
    ),
    (
        "/etc/default/abuse-agent",
        "`ABUSE_AGENT_OPTIONS=`, the options of the service, as `--dry-run --log-format text`.",
    ),
    (
        "/var/lib/abuse-agent",
        (
            "The state directory: the ledger of all bans, what was learned of names and clients, "
            "the text of the policy in force, and the tape of what each cycle saw."
        ),
    ),
    (
        "/run/abuse-agent",
        "The locks of the agent and its commands.",
    ),
)

ENVIRONMENT = (
    ("ABUSE_AGENT_DEBUG", "If not empty, an error that is a bug is shown with its traceback."),
    (
        "ABUSE_AGENT_OPTIONS",
        "In /etc/default/abuse-agent: what abuse-agent.service puts behind the command.",
    ),
)

SIGNALS = (
    (
        "SIGHUP",
        (
            "Read the policy again. A bad one is rejected, and the old one stays in force "
            "(`systemctl reload abuse-agent`)."
        ),
    ),
    (
        "SIGTERM, SIGINT",
        "End within a second. Bans stay, and the kernel ends each at its time.",
    ),
)

SEE_ALSO = ("abuse-agent-policy(5)", "nft(8)", "iptables(8)", "ipset(8)", "ss(8)")

"""The whole machine as two services, for peers that count all ports together."""

from agent.model.policy import SSH, SSH_PORT

REST = "all-but-ssh"
"""Bans of the host by a rule about port 22 would close ssh too, so it is a service of its own."""

_LAST_PORT = 65_535

WHOLE = {
    SSH: (range(SSH_PORT, SSH_PORT + 1),),
    REST: (range(1, SSH_PORT), range(SSH_PORT + 1, _LAST_PORT + 1)),
}

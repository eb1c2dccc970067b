# Completion of abuse-agent for fish. Written by ./dev manuals; do not edit.

# The words that are typed, from the program's name on; sudo and its like may stand before it.
function __abuse_agent_typed
    set -l typed (commandline -opc)
    while set -q typed[1]; and not string match -qr '(^|/)abuse-agent$' -- $typed[1]
        set -e typed[1]
    end
    string join -- \n $typed
end

# Whether the command that is typed is one of these; without one, options are those of run.
function __abuse_agent_at
    set -l typed (__abuse_agent_typed)
    set -l name none
    if set -q typed[2]
        set name $typed[2]
        string match -q -- '-*' $name; and set name run
    end
    contains -- $name $argv
end

# Sources that are banned now; nothing where this user may not read that.
function __abuse_agent_banned
    set -l typed (__abuse_agent_typed)
    set -l folder (string match -- '--state-dir=*' $typed)
    if set -l at (contains -i -- --state-dir $typed)
        set folder --state-dir $typed[(math $at + 1)]
    end
    abuse-agent bans $folder 2>/dev/null </dev/null | awk 'NR > 1 { print $1 }'
end

complete -c abuse-agent -f
complete -c abuse-agent -n '__abuse_agent_at none' -a run -d 'Judge who holds TCP connections, until told to stop'
complete -c abuse-agent -n '__abuse_agent_at none' -a check -d 'Tell everything that is wrong with policies'
complete -c abuse-agent -n '__abuse_agent_at none' -a replay -d 'Tell what a policy would have done, to whom, when and why'
complete -c abuse-agent -n '__abuse_agent_at none' -a suggest -d 'Tell what sources usually hold here, and which limits fit ...'
complete -c abuse-agent -n '__abuse_agent_at none' -a status -d 'Tell whether an agent runs, with what, and what is in force'
complete -c abuse-agent -n '__abuse_agent_at none' -a top -d 'Show who is here now, how near to a limit, and who is kept ...'
complete -c abuse-agent -n '__abuse_agent_at none' -a explain -d 'Tell why SOURCE is banned or not, and all that is known of ...'
complete -c abuse-agent -n '__abuse_agent_at none' -a bans -d 'List the bans in force, the longest to go first'
complete -c abuse-agent -n '__abuse_agent_at none' -a ban -d 'Ban SOURCE, an address or a prefix, and close its ...'
complete -c abuse-agent -n '__abuse_agent_at none' -a unban -d 'Lift the bans of SOURCE, and keep it free for 30 minutes'
complete -c abuse-agent -n '__abuse_agent_at none' -a allow -d 'Let SOURCE pass for a while, whatever it does'
complete -c abuse-agent -n '__abuse_agent_at none' -a guard -d 'List whom the agent never bans'
complete -c abuse-agent -n '__abuse_agent_at none' -a doctor -d 'Tell whether this machine is well, and what to do where it ...'
complete -c abuse-agent -n '__abuse_agent_at none' -a verify -d 'Check the firewall against policy and ledger'
complete -c abuse-agent -n '__abuse_agent_at none' -a teardown -d 'Remove all rules and sets of ours, and end all bans'
complete -c abuse-agent -n '__abuse_agent_at none' -a sets -d 'Create the empty sets that saved iptables rules name'
complete -c abuse-agent -n '__abuse_agent_at none' -a schema -d 'Print the JSON schema of a policy file, for editors'
complete -c abuse-agent -n '__abuse_agent_at none' -a import -d 'Give a policy out of the configuration of another tool'

complete -c abuse-agent -n '__abuse_agent_at run none' -l dry-run -d 'Tell what would be done'
complete -c abuse-agent -n '__abuse_agent_at run none' -l once -d 'Run one cycle and end'
complete -c abuse-agent -n '__abuse_agent_at run none' -l assume-sustained -d 'With --once: take one sample as if it had lasted, as rules ...'
complete -c abuse-agent -n '__abuse_agent_at run none' -l policy -r -F -d 'A policy file, or a folder of them'
complete -c abuse-agent -n '__abuse_agent_at run none' -l firewall -x -a 'auto iptables nftables' -d 'Where a live run installs its bans'
complete -c abuse-agent -n '__abuse_agent_at run none' -l state-dir -x -a '(__fish_complete_directories)' -d 'Where a live run keeps its ledger and its tape'
complete -c abuse-agent -n '__abuse_agent_at run none' -l tape -x -a '(__fish_complete_directories)' -d 'Record what each cycle saw into DIR'
complete -c abuse-agent -n '__abuse_agent_at run none' -l log-format -x -a 'json text' -d 'How events are written: a JSON object or a sentence a line'
complete -c abuse-agent -n '__abuse_agent_at run none' -l log-level -x -a 'debug info warning' -d 'The least that is told'
complete -c abuse-agent -n '__abuse_agent_at run none' -s h -l help -d 'Show this message and exit'
complete -c abuse-agent -n '__abuse_agent_at none' -l version -d 'Show the version and exit'

complete -c abuse-agent -n '__abuse_agent_at check' -l together -d 'Read all PATHs as the one policy of a run'
complete -c abuse-agent -n '__abuse_agent_at check' -l tape -x -a '(__fish_complete_directories)' -d 'The tape that shows what is normal on this machine, to warn ...'
complete -c abuse-agent -n '__abuse_agent_at check' -l json -d 'Print JSON, for programs'
complete -c abuse-agent -n '__abuse_agent_at check' -s h -l help -d 'Show this message and exit'
complete -c abuse-agent -n '__abuse_agent_at check' -F

complete -c abuse-agent -n '__abuse_agent_at replay' -l policy -r -F -d 'The policy to try'
complete -c abuse-agent -n '__abuse_agent_at replay' -l against -r -F -d 'Tell what differs from this policy'
complete -c abuse-agent -n '__abuse_agent_at replay' -l assume-sustained -d 'Take each moment as if it had lasted, as rules want it'
complete -c abuse-agent -n '__abuse_agent_at replay' -l state -x -a 'ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT1 FIN_WAIT2 TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK CLOSING' -d 'What ss was asked for, where it wrote no State column'
complete -c abuse-agent -n '__abuse_agent_at replay' -l since -x -d 'Begin so long ago, as 24h'
complete -c abuse-agent -n '__abuse_agent_at replay' -l until -x -d 'End so long ago'
complete -c abuse-agent -n '__abuse_agent_at replay' -l tape -x -a '(__fish_complete_directories)' -d 'The folder of the tape'
complete -c abuse-agent -n '__abuse_agent_at replay' -l state-dir -x -a '(__fish_complete_directories)' -d 'The agent\'s state directory, with its ledger, its tape and ...'
complete -c abuse-agent -n '__abuse_agent_at replay' -l json -d 'Print JSON, for programs'
complete -c abuse-agent -n '__abuse_agent_at replay' -s h -l help -d 'Show this message and exit'
complete -c abuse-agent -n '__abuse_agent_at replay' -F

complete -c abuse-agent -n '__abuse_agent_at suggest' -l policy -r -F -d 'The policy whose services, widths and allowlist count'
complete -c abuse-agent -n '__abuse_agent_at suggest' -l since -x -d 'Begin so long ago, as 24h'
complete -c abuse-agent -n '__abuse_agent_at suggest' -l until -x -d 'End so long ago'
complete -c abuse-agent -n '__abuse_agent_at suggest' -l tape -x -a '(__fish_complete_directories)' -d 'The folder of the tape'
complete -c abuse-agent -n '__abuse_agent_at suggest' -l state-dir -x -a '(__fish_complete_directories)' -d 'The agent\'s state directory, with its ledger, its tape and ...'
complete -c abuse-agent -n '__abuse_agent_at suggest' -l json -d 'Print JSON, for programs'
complete -c abuse-agent -n '__abuse_agent_at suggest' -s h -l help -d 'Show this message and exit'

complete -c abuse-agent -n '__abuse_agent_at status' -l state-dir -x -a '(__fish_complete_directories)' -d 'The agent\'s state directory, with its ledger, its tape and ...'
complete -c abuse-agent -n '__abuse_agent_at status' -l json -d 'Print JSON, for programs'
complete -c abuse-agent -n '__abuse_agent_at status' -s h -l help -d 'Show this message and exit'

complete -c abuse-agent -n '__abuse_agent_at top' -l once -d 'Print one moment as text, and end'
complete -c abuse-agent -n '__abuse_agent_at top' -l every -x -d 'How often the screen looks, as 5s'
complete -c abuse-agent -n '__abuse_agent_at top' -l json -d 'Print JSON, for programs'
complete -c abuse-agent -n '__abuse_agent_at top' -l sort -x -a 'sockets limit address' -d 'What comes first: most sockets, nearest to a limit, or by ...'
complete -c abuse-agent -n '__abuse_agent_at top' -l state -x -d 'Count only sockets in this state'
complete -c abuse-agent -n '__abuse_agent_at top' -l service -x -d 'Count only sockets to this service of the policy, or to a ...'
complete -c abuse-agent -n '__abuse_agent_at top' -l prefix -x -d 'Show only sources in it'
complete -c abuse-agent -n '__abuse_agent_at top' -l most -x -d 'How many sources are shown at most'
complete -c abuse-agent -n '__abuse_agent_at top' -l policy -r -F -d 'A policy file, or a folder of them'
complete -c abuse-agent -n '__abuse_agent_at top' -l firewall -x -a 'auto iptables nftables' -d 'The firewall that has the bans'
complete -c abuse-agent -n '__abuse_agent_at top' -l state-dir -x -a '(__fish_complete_directories)' -d 'The agent\'s state directory, with its ledger, its tape and ...'
complete -c abuse-agent -n '__abuse_agent_at top' -s h -l help -d 'Show this message and exit'

complete -c abuse-agent -n '__abuse_agent_at explain' -l since -x -d 'How far back the tape is read, as 7d'
complete -c abuse-agent -n '__abuse_agent_at explain' -l tape -x -a '(__fish_complete_directories)' -d 'The folder of the tape'
complete -c abuse-agent -n '__abuse_agent_at explain' -l policy -r -F -d 'A policy file, or a folder of them'
complete -c abuse-agent -n '__abuse_agent_at explain' -l firewall -x -a 'auto iptables nftables' -d 'The firewall that has the bans'
complete -c abuse-agent -n '__abuse_agent_at explain' -l state-dir -x -a '(__fish_complete_directories)' -d 'The agent\'s state directory, with its ledger, its tape and ...'
complete -c abuse-agent -n '__abuse_agent_at explain' -l json -d 'Print JSON, for programs'
complete -c abuse-agent -n '__abuse_agent_at explain' -s h -l help -d 'Show this message and exit'
complete -c abuse-agent -n '__abuse_agent_at explain' -a '(__abuse_agent_banned)'

complete -c abuse-agent -n '__abuse_agent_at bans' -l state-dir -x -a '(__fish_complete_directories)' -d 'The agent\'s state directory, with its ledger, its tape and ...'
complete -c abuse-agent -n '__abuse_agent_at bans' -l json -d 'Print JSON, for programs'
complete -c abuse-agent -n '__abuse_agent_at bans' -s h -l help -d 'Show this message and exit'

complete -c abuse-agent -n '__abuse_agent_at ban' -l for -x -d 'For how long, as 10m or 1h30m'
complete -c abuse-agent -n '__abuse_agent_at ban' -l scope -x -a 'service host' -d 'Keep it from the whole host (ssh stays open), or from ...'
complete -c abuse-agent -n '__abuse_agent_at ban' -l service -x -d 'With --scope service: from this one'
complete -c abuse-agent -n '__abuse_agent_at ban' -l reason -x -d 'For the records, at most 200 characters'
complete -c abuse-agent -n '__abuse_agent_at ban' -l policy -r -F -d 'A policy file, or a folder of them'
complete -c abuse-agent -n '__abuse_agent_at ban' -l firewall -x -a 'auto iptables nftables' -d 'The firewall that has the bans'
complete -c abuse-agent -n '__abuse_agent_at ban' -l state-dir -x -a '(__fish_complete_directories)' -d 'The agent\'s state directory, with its ledger, its tape and ...'
complete -c abuse-agent -n '__abuse_agent_at ban' -l json -d 'Print JSON, for programs'
complete -c abuse-agent -n '__abuse_agent_at ban' -s h -l help -d 'Show this message and exit'

complete -c abuse-agent -n '__abuse_agent_at unban' -l policy -r -F -d 'A policy file, or a folder of them'
complete -c abuse-agent -n '__abuse_agent_at unban' -l firewall -x -a 'auto iptables nftables' -d 'The firewall that has the bans'
complete -c abuse-agent -n '__abuse_agent_at unban' -l state-dir -x -a '(__fish_complete_directories)' -d 'The agent\'s state directory, with its ledger, its tape and ...'
complete -c abuse-agent -n '__abuse_agent_at unban' -l json -d 'Print JSON, for programs'
complete -c abuse-agent -n '__abuse_agent_at unban' -s h -l help -d 'Show this message and exit'
complete -c abuse-agent -n '__abuse_agent_at unban' -a '(__abuse_agent_banned)'

complete -c abuse-agent -n '__abuse_agent_at allow' -l for -x -d 'For how long, as 2h or 7d'
complete -c abuse-agent -n '__abuse_agent_at allow' -l policy -r -F -d 'A policy file, or a folder of them'
complete -c abuse-agent -n '__abuse_agent_at allow' -l firewall -x -a 'auto iptables nftables' -d 'The firewall that has the bans'
complete -c abuse-agent -n '__abuse_agent_at allow' -l state-dir -x -a '(__fish_complete_directories)' -d 'The agent\'s state directory, with its ledger, its tape and ...'
complete -c abuse-agent -n '__abuse_agent_at allow' -l json -d 'Print JSON, for programs'
complete -c abuse-agent -n '__abuse_agent_at allow' -s h -l help -d 'Show this message and exit'
complete -c abuse-agent -n '__abuse_agent_at allow' -a '(__abuse_agent_banned)'

complete -c abuse-agent -n '__abuse_agent_at guard' -l state-dir -x -a '(__fish_complete_directories)' -d 'The agent\'s state directory, with its ledger, its tape and ...'
complete -c abuse-agent -n '__abuse_agent_at guard' -l json -d 'Print JSON, for programs'
complete -c abuse-agent -n '__abuse_agent_at guard' -s h -l help -d 'Show this message and exit'

complete -c abuse-agent -n '__abuse_agent_at doctor' -l watch -x -d 'Look twice, so long apart: what grows tells more than what ...'
complete -c abuse-agent -n '__abuse_agent_at doctor' -l all -d 'Tell also of what is well'
complete -c abuse-agent -n '__abuse_agent_at doctor' -l policy -r -F -d 'A policy file, or a folder of them'
complete -c abuse-agent -n '__abuse_agent_at doctor' -l firewall -x -a 'auto iptables nftables' -d 'The firewall that has the bans'
complete -c abuse-agent -n '__abuse_agent_at doctor' -l state-dir -x -a '(__fish_complete_directories)' -d 'The agent\'s state directory, with its ledger, its tape and ...'
complete -c abuse-agent -n '__abuse_agent_at doctor' -l json -d 'Print JSON, for programs'
complete -c abuse-agent -n '__abuse_agent_at doctor' -s h -l help -d 'Show this message and exit'

complete -c abuse-agent -n '__abuse_agent_at verify' -l policy -r -F -d 'A policy file, or a folder of them'
complete -c abuse-agent -n '__abuse_agent_at verify' -l firewall -x -a 'auto iptables nftables' -d 'The firewall that has the bans'
complete -c abuse-agent -n '__abuse_agent_at verify' -l state-dir -x -a '(__fish_complete_directories)' -d 'The agent\'s state directory, with its ledger, its tape and ...'
complete -c abuse-agent -n '__abuse_agent_at verify' -l json -d 'Print JSON, for programs'
complete -c abuse-agent -n '__abuse_agent_at verify' -s h -l help -d 'Show this message and exit'

complete -c abuse-agent -n '__abuse_agent_at teardown' -l state-dir -x -a '(__fish_complete_directories)' -d 'The agent\'s state directory, with its ledger, its tape and ...'
complete -c abuse-agent -n '__abuse_agent_at teardown' -l json -d 'Print JSON, for programs'
complete -c abuse-agent -n '__abuse_agent_at teardown' -s h -l help -d 'Show this message and exit'

complete -c abuse-agent -n '__abuse_agent_at sets' -s h -l help -d 'Show this message and exit'

complete -c abuse-agent -n '__abuse_agent_at schema' -s h -l help -d 'Show this message and exit'

complete -c abuse-agent -n '__abuse_agent_at import' -l output -r -F -d 'Write the policy there'
complete -c abuse-agent -n '__abuse_agent_at import' -l force -d 'Replace FILE if it is there'
complete -c abuse-agent -n '__abuse_agent_at import' -s h -l help -d 'Show this message and exit'
complete -c abuse-agent -n '__abuse_agent_at import' -a 'ddos-deflate csf fail2ban'
complete -c abuse-agent -n '__abuse_agent_at import' -F

# fish completion for zkcli. Generated from its table of commands: do not edit.

function __zkcli_candidates
    # -x would split again: the words come with their quotes taken away.
    set -l words (commandline -opc) (commandline -ct | string unescape)
    $words[1] __complete --shell fish -- $words[2..-1] 2>/dev/null
end

function __zkcli_needs_command
    test (count (commandline -opc)) -eq 1
end

function __zkcli_needs_file
    set -l words (commandline -opc)
    contains -- $words[-1] --config --client-configuration -client-configuration --auth-file --cacert --cert --key --key-password-file --password-file --keytab -f --script --data-dir --file --log-dir --audit -file
end

complete -c zkcli -f
complete -c zkcli -n __zkcli_needs_command -a ls -d 'List the children of znodes'
complete -c zkcli -n __zkcli_needs_command -a get -d 'Print the data of znodes'
complete -c zkcli -n __zkcli_needs_command -a cat -d 'Print the data of znodes'
complete -c zkcli -n __zkcli_needs_command -a stat -d 'Print the stat of znodes'
complete -c zkcli -n __zkcli_needs_command -a exists -d 'Check whether a znode exists, by the exit code'
complete -c zkcli -n __zkcli_needs_command -a sync -d 'Make the server catch up with the leader'
complete -c zkcli -n __zkcli_needs_command -a getEphemerals -d 'List the ephemeral znodes of this session'
complete -c zkcli -n __zkcli_needs_command -a getAllChildrenNumber -d 'Count the znodes under a znode'
complete -c zkcli -n __zkcli_needs_command -a create -d 'Create a znode and print its path'
complete -c zkcli -n __zkcli_needs_command -a set -d 'Set the data of a znode'
complete -c zkcli -n __zkcli_needs_command -a delete -d 'Delete znodes'
complete -c zkcli -n __zkcli_needs_command -a rm -d 'Delete znodes'
complete -c zkcli -n __zkcli_needs_command -a deleteall -d 'Delete znodes with all znodes under them'
complete -c zkcli -n __zkcli_needs_command -a rmr -d 'Delete znodes with all znodes under them'
complete -c zkcli -n __zkcli_needs_command -a multi -d 'Run several operations as one transaction'
complete -c zkcli -n __zkcli_needs_command -a edit -d 'Change the data of a znode in an editor'
complete -c zkcli -n __zkcli_needs_command -a tree -d 'Print a subtree with its branches'
complete -c zkcli -n __zkcli_needs_command -a find -d 'Find znodes by name, kind, size, age, owner or value'
complete -c zkcli -n __zkcli_needs_command -a grep -d 'Search in the values of znodes'
complete -c zkcli -n __zkcli_needs_command -a du -d 'Print how much subtrees have'
complete -c zkcli -n __zkcli_needs_command -a cp -d 'Copy a znode or a subtree, also to another ensemble or a file'
complete -c zkcli -n __zkcli_needs_command -a mv -d 'Move a znode with all znodes under it'
complete -c zkcli -n __zkcli_needs_command -a export -d 'Write a subtree to a file'
complete -c zkcli -n __zkcli_needs_command -a import -d 'Create the znodes of a file'
complete -c zkcli -n __zkcli_needs_command -a diff -d 'Compare two subtrees'
complete -c zkcli -n __zkcli_needs_command -a apply -d 'Make a subtree as a file says'
complete -c zkcli -n __zkcli_needs_command -a mirror -d 'Make a subtree like another one, and keep it so'
complete -c zkcli -n __zkcli_needs_command -a snap -d 'Show the tree as it was, from the files of a server'
complete -c zkcli -n __zkcli_needs_command -a log -d 'Show who wrote what and when, from the log of a server'
complete -c zkcli -n __zkcli_needs_command -a undelete -d 'Bring a subtree back as it was, from the files of a server'
complete -c zkcli -n __zkcli_needs_command -a getAcl -d 'Print the ACL of a znode'
complete -c zkcli -n __zkcli_needs_command -a setAcl -d 'Replace the ACL of a znode'
complete -c zkcli -n __zkcli_needs_command -a addauth -d 'Prove an identity to the server'
complete -c zkcli -n __zkcli_needs_command -a whoami -d 'Print the identities that this session has proved'
complete -c zkcli -n __zkcli_needs_command -a acl -d 'Make, change, explain and check ACLs'
complete -c zkcli -n __zkcli_needs_command -a setquota -d 'Limit the znodes or bytes of a subtree'
complete -c zkcli -n __zkcli_needs_command -a listquota -d 'Print the quota of a subtree and its usage'
complete -c zkcli -n __zkcli_needs_command -a delquota -d 'Remove the quota of a subtree'
complete -c zkcli -n __zkcli_needs_command -a addWatch -d 'Watch a znode for as long as the session lasts'
complete -c zkcli -n __zkcli_needs_command -a removewatches -d 'Remove watches of this session'
complete -c zkcli -n __zkcli_needs_command -a printwatches -d 'Show or set whether events are printed'
complete -c zkcli -n __zkcli_needs_command -a lock -d 'Hold a lock while a command runs'
complete -c zkcli -n __zkcli_needs_command -a elect -d 'Run for leadership, and run a command while leading'
complete -c zkcli -n __zkcli_needs_command -a wait -d 'Wait until a znode meets a condition'
complete -c zkcli -n __zkcli_needs_command -a watch -d 'Print every change of a znode, and where changes may be missing'
complete -c zkcli -n __zkcli_needs_command -a barrier -d 'Wait at a barrier, or start and end together with others'
complete -c zkcli -n __zkcli_needs_command -a queue -d 'Put items into a queue, and take each out once'
complete -c zkcli -n __zkcli_needs_command -a group -d 'Join a group, or list its members'
complete -c zkcli -n __zkcli_needs_command -a rendezvous -d 'Leave data at a path, or wait for data from another process'
complete -c zkcli -n __zkcli_needs_command -a counter -d 'Share a counter with other processes'
complete -c zkcli -n __zkcli_needs_command -a id -d 'Get a number that no other process gets'
complete -c zkcli -n __zkcli_needs_command -a commit -d 'Decide together whether all processes do something, or none'
complete -c zkcli -n __zkcli_needs_command -a config -d 'Print the configuration of the ensemble'
complete -c zkcli -n __zkcli_needs_command -a reconfig -d 'Change the members of the ensemble'
complete -c zkcli -n __zkcli_needs_command -a server -d 'Run a ZooKeeper server on a zoo.cfg'
complete -c zkcli -n __zkcli_needs_command -a local -d 'Show the servers of --local, or inject faults'
complete -c zkcli -n __zkcli_needs_command -a use -d 'Change to a cluster of the configuration file'
complete -c zkcli -n __zkcli_needs_command -a clusters -d 'List the clusters of the configuration file'
complete -c zkcli -n __zkcli_needs_command -a cd -d 'Change the working directory'
complete -c zkcli -n __zkcli_needs_command -a pwd -d 'Print the working directory'
complete -c zkcli -n __zkcli_needs_command -a connect -d 'Connect to other servers, with a new session'
complete -c zkcli -n __zkcli_needs_command -a close -d 'Close the session and stay in the shell'
complete -c zkcli -n __zkcli_needs_command -a history -d 'List the last commands with their numbers'
complete -c zkcli -n __zkcli_needs_command -a redo -d 'Run a command of the history again'
complete -c zkcli -n __zkcli_needs_command -a help -d 'Explain a command or a topic'
complete -c zkcli -n __zkcli_needs_command -a version -d 'Print the version of this program'
complete -c zkcli -n __zkcli_needs_command -a quit -d 'Leave the shell'
complete -c zkcli -n __zkcli_needs_command -a exit -d 'Leave the shell'
complete -c zkcli -n __zkcli_needs_command -a time -d 'Run a command and print how long it took'
complete -c zkcli -n __zkcli_needs_command -a repeat -d 'Run a command again and again'
complete -c zkcli -n __zkcli_needs_file -F
complete -c zkcli -n 'not __zkcli_needs_command; and not __zkcli_needs_file' -a '(__zkcli_candidates)'
complete -c zkcli -n '__zkcli_needs_command; and string match -q -- "-*" (commandline -ct)' -a '(__zkcli_candidates)'

"""Simulated machines and jobs: processes of this host, which end with whoever started them.

Where it is possible a machine is isolated: it has namespaces of its own, and its
changes of the host's directories are kept on its disk, which is a directory.

==========  ==============================================================
`host`      starts a machine, hears of it, ends it; lists what lives on it
`first`     a machine's first process; all below runs on the machine
`services`  what stands in for systemd there
`processes` how its processes are started, collected and ended
==========  ==============================================================
"""

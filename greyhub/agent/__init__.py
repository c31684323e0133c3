"""The agent of a server's machine: registers at the hub, and runs the server that it is told to.

It needs Python and cryptography alone. `greyhub.rendezvous` is the hub's side.
"""

"""How a server on a machine that the hub does not control gets its environment.

The hub can hand nothing secret to such a machine: others read its setup script and its
properties. So the script carries a nonce that is good for one use; the agent that the
script starts (`greyhub.agent`) makes keys, registers them with the nonce, and from then on
proves who it is by them. What the server needs is sealed to those keys.

`protocol` is what both sides say, `machines` and `service` the hub's side of it, `handlers`
its place in JupyterHub, `script` the setup script, and `spawning` the base class for a
Spawner whose servers run on such machines. `tunnel` is for those that the hub's proxy cannot
reach.
"""

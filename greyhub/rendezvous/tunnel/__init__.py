"""Servers that the hub's proxy cannot reach: their agents dial out, and connections come back.

`streams` carries many connections over one WebSocket, on both sides. `process` is the hub's
side, in a process of its own, so that users' traffic neither passes the hub nor ends with it;
`control` is how the hub speaks to it. The agent's side is `greyhub.agent.dialling`.
"""

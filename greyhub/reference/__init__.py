"""The reference pages that are made from the code: options, their JSON Schema, and commands.

``python -m greyhub.reference docs`` writes them into ``docs/reference``; a test
fails when they are not what it would write.
"""

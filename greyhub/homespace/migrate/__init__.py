"""Migrating homes: copy them to another backend, and verify the copy.

`endpoint` says what a home is to whoever moves it; `directory` and `object_store` are the two
kinds there are. `copying` and `verifying` go through two of them.
"""

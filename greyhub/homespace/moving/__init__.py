"""Homes that move: copied to another backend, and compared.

`sides` says what a home is to whoever moves it; `tree` and `bucket` are the two
kinds there are. `copying` and `verifying` go through two of them.
"""

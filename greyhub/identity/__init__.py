"""Who somebody is: the same user for good, whatever a provider calls them today.

An authenticator tells a name, and JupyterHub keeps everything by that name: homes,
servers, tokens. A name may change, and two providers may give one name to two people.
So the hub's database keeps, beside JupyterHub's own tables, who was given which name:
rows of an issuer, what that issuer knows of the person, and the user's name.
"""

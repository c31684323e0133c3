"""A stranger's flavour."""

FROSTY = dict.fromkeys(("spawner", "cluster", "auth", "homespace", "data"), "frosty")

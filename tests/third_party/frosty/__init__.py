"""A stranger's distribution that fills every slot, as the tests install it."""

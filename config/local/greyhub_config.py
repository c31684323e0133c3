# A whole platform on this machine: jupyterhub -f greyhub_config.py
import iris_sample_data

import greyhub

c = get_config()  # noqa: F821

c.GreyHub.flavour = "local"
c.LocalHomespace.welcome = "welcome"  # what a new home begins with
c.LocalData.catalogs = ["catalog.yaml"]
c.LocalData.parameters = {"IRIS": iris_sample_data.path}

greyhub.compose(c)

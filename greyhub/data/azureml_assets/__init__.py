"""Data assets of an Azure ML workspace as datasets: the notebook's half of ``data = "azureml"``."""

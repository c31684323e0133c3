"""A report for each reader: a terminal, a CI server, a browser, a README's badge."""

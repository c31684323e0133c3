"""Reports for a terminal, a CI server, a browser, and a README's badge."""

"""What the adapters for Kubernetes share: repeated requests, watches, words for failures."""

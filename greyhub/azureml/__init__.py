"""What the adapters for Azure ML share: its REST API, one list of computes, storage accounts."""

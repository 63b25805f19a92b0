"""From a key to the desired state: one module a kind, behind the work queue."""

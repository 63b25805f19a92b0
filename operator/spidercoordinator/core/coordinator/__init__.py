"""The SpiderCoordinator: what networks are rendered from, and its status."""

"""What an operator needs that knows nothing of our kinds: work queue, leader election, settings."""

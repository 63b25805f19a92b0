"""Leader election by a Lease, after client-go's tools/leaderelection."""

"""The only talk with the API server besides kopf's own."""

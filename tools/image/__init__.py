"""What the Dockerfile runs to make the operator's image small and the same in each build."""

"""The page of benchmark figures: their table and their picture, from docs/benchmarks.yaml."""

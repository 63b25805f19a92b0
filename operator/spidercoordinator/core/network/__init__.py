"""One SpiderMultusConfig: validation, rendering, desired NAD, ownership, status."""

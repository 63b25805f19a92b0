"""The commands of `spidercoordinator`."""

"""From a SpiderMultusConfig and the effective coordinator to the text of a CNI configuration."""

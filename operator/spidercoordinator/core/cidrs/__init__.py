"""Pod and service CIDRs: ranges, and the choice among what the sources report."""

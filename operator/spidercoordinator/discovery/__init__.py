"""Where pod and service CIDRs are found: one file a source."""

"""The sources of pod and service CIDRs, one file each, and the informers that watch for them."""

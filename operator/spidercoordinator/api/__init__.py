"""What is on the wire: models of both kinds and of the NAD, and the CRDs made from them."""

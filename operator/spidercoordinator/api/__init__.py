"""What is on the wire: pydantic models of both kinds and of the NAD, and the CRDs made from them."""

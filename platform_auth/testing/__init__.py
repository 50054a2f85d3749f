"""What plug-ins can test themselves with."""

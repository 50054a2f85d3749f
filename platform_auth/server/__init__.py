"""The Jupyter server extension: the broker's face in a Jupyter server."""

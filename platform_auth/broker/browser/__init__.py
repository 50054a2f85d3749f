"""What a browser meets on its way to an identity provider and back, whichever server it comes to.

A Jupyter server and the Hub's service show the same pages; each adds who may see them.
"""

"""Signing in from a notebook: the magics, the login display, the widget, and the ready client."""

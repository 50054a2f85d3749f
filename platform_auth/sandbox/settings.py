"""What can be set on a sandbox, also while it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Settings:
    """Lifetimes in seconds, and how refresh tokens behave.

    Parameters
    ----------
    access_token_lifetime
        How long an access token is accepted.
    refresh_token_lifetime
        How long a refresh token is accepted.
    rotate
        Whether each refresh gives a new refresh token and makes the old one useless
        (RFC 9700 §4.14.2).
    code_lifetime
        How long an authorization code can be redeemed.
    page_lifetime
        How long a person has to finish the pages.
    device_lifetime
        How long a device code can be approved (RFC 8628 §3.2).
    device_interval
        How far apart polls for a device code must be at first.

    """

    access_token_lifetime: int = 300
    refresh_token_lifetime: int = 24 * 3600
    rotate: bool = True
    code_lifetime: int = 60
    page_lifetime: int = 600
    device_lifetime: int = 600
    device_interval: int = 5

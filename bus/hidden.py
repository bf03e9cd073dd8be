"""Addresses for people and logs: what may be a secret in them is left out."""

from __future__ import annotations

from urllib.parse import urlsplit


def origin(url: str) -> str:
    """Scheme, host and port: some services hand out addresses whose path alone lets one in."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def plain(url: str, instead: str) -> str:
    """The address itself. Raises ValueError, without it, where user and password stand in it: clients show it in their faults."""
    if "@" in urlsplit(url).netloc:
        raise ValueError(f"user and password do not belong into an address, write {instead}")
    return url


def place(url: str) -> str:
    """The same with the path, without user, password and what is asked for (`?token=...`)."""
    return origin(url) + urlsplit(url).path

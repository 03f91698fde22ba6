"""Roles of posts that work on policies. No Django."""

WRITER, PUBLISHER = "policy_writer", "policy_publisher"

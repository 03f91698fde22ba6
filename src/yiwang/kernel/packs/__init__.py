"""Packs: content that a government decides, read strictly from YAML. See README.md."""

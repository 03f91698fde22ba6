"""Computed forms: merged, prefilled, projected and measured from packs. Pure."""

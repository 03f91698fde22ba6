"""Judgement 研判: what follows from what is known. The decision models are in `dmn`; the language is kernel/feel."""

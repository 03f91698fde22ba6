"""Sampling plans 抽查计划: how many of each class, who by lot, on which days; anyone can recompute it."""

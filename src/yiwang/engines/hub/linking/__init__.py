"""Linking records without a code to enterprises."""

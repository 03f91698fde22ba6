"""yiwang 一网: an open platform on which a whole province can run its government."""

"""The database schema, step by step; each released step stays as it is."""

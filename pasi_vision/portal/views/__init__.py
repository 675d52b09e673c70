"""The pages, one file per subject; each function answers one route of `urls.py`."""

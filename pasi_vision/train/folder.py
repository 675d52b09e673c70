"""A data-contract folder (photos.csv, findings.csv, masks/) -> typed records; an error names file and row."""

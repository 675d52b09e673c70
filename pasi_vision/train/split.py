"""Training, validation and test by patient, stratified by site and skin tone, stored and never re-drawn."""

"""MODEL_CARD.md from evaluation.json and model.json, never by hand."""

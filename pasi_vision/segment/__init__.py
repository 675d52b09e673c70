"""CalibratedImage -> Masks. Loading a model and segmenting need no torch."""

from pasi_vision.segment.checkpoint import DEFAULT_MODEL, model_names, open_model
from pasi_vision.segment.predict import Model, load_model

__all__ = ["DEFAULT_MODEL", "Model", "load_model", "model_names", "open_model"]

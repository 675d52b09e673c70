"""Photographs: bytes -> Photo -> QualityReport -> CalibratedImage, and a copy without metadata. OpenCV is imported only when used."""

from pasi_vision.photo.calibrate import CalibrationSettings, calibrate
from pasi_vision.photo.deidentify import strip_metadata
from pasi_vision.photo.quality import check_photo
from pasi_vision.photo.read import ReadLimits, read_photo

__all__ = ["CalibrationSettings", "ReadLimits", "calibrate", "check_photo", "read_photo", "strip_metadata"]

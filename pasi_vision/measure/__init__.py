"""Masks -> findings: affected area, grades of the signs, and how much of each region's surface the views show."""

from pasi_vision.measure.area import measure_photo
from pasi_vision.measure.findings import MeasureChoices, measure_visit
from pasi_vision.measure.intervals import Intervals
from pasi_vision.measure.views import ViewCoverage, load_view_coverage

__all__ = ["Intervals", "MeasureChoices", "ViewCoverage", "load_view_coverage", "measure_photo", "measure_visit"]

"""Thresholds, conformal intervals and detection limit, chosen on one preset and measured on another."""

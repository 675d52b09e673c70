"""A model's masks against the true ones: Dice, boundary distance, false area, area error, grades; always n, intervals clustered by patient."""

"""What a model's confidences are worth: thresholds with a guarantee, calibration, curves, costs, monitors."""

"""What speaks for or against a candidate besides the metric: costs, data, who else changed what, repeatability."""

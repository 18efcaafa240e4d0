"""Number formats to the bit: what they hold, how numbers are rounded to them, how errors add up."""

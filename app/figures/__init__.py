"""Results as pictures: pure functions from figures to layouts, Plotly figures and player payloads."""

"""A small net in the plane, trained in steps that can be repeated exactly: what the Playground shows."""

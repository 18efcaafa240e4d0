"""The shell around the engine: server, navigation, and what pages share."""

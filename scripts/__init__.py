"""Tools around the repository: a browser for tests and screenshots, and a server to point it at."""

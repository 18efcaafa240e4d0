"""How all tests run."""

from hypothesis import HealthCheck, settings

# Whether a test passes does not depend on how busy the machine is.
settings.register_profile("unroll", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unroll")

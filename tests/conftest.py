"""How all tests run."""

import os

from hypothesis import HealthCheck, settings

# Kernels are waited for, so that it is they that are tested. What happens while they are compiled has tests
# of its own, in processes of their own.
os.environ["UNROLL_PATIENT"] = "1"

# Whether a test passes does not depend on how busy the machine is.
settings.register_profile("unroll", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unroll")

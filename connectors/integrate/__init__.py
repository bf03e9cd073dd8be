"""For the integrator: look at a source, write a first mapping, preview, record and cover its samples. Nothing here publishes."""

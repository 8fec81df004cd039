"""Rules about what may be declared: importable functions, and the CrossGuard pack that runs them."""

"""What several benchmarks are made of; none of it measures anything by itself."""

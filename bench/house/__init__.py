"""The parts of bench/run (docs/benchmarks.md)."""

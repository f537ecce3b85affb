"""What the end-to-end tests are written with: processes, receivers, raw HTTP, metrics."""

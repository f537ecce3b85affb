"""What the crash tests are written with: a disk that fails, traffic, and the books of both ends."""

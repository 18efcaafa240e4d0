"""Work split over threads: kernels, schedules, laws of speed-up, and what sharing memory can spoil."""

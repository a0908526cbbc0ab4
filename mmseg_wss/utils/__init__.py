"""What any program needs: files, locks, jobs, progress, random states."""

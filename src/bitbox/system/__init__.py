"""What the system under us does, and what may go wrong there."""

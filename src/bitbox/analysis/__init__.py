"""What an analysis is: what is accepted, how it is done, what it returns."""

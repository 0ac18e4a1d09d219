"""What measuring faces and bodies in videos has in common: a recording, its store, its disk."""

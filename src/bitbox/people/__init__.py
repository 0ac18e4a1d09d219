"""Who is who: whom a recording is about, where several people are seen."""

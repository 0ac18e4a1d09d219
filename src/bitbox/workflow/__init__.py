"""The main job: two recordings in, a folder of results out."""

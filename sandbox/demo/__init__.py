"""`make demo`: the main job, told as a story, once for every scenario."""

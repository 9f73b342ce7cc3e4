"""The sample project: a music-streaming service whose data lives in every store that Accord knows."""

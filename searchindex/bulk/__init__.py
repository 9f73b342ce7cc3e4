"""Documents of search indexes into files and back."""

"""Documents of MongoDB into files and back."""

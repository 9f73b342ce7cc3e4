"""Documents of the sample service: Django models in MongoDB, by django-mongodb-backend."""

# A history of Alembic's that Accord runs among the steps of every other store.
# Alone: alembic upgrade head

[alembic]
script_location = ${script_location}
path_separator = os
file_template = %%(rev)s
# env.py numbers a new revision, where no --rev-id names it.
revision_environment = true
output_encoding = utf-8
prepend_sys_path = .

# No sqlalchemy.url: Accord passes the address of its settings, and env.py asks for the same one otherwise.
# The settings of Django, where DJANGO_SETTINGS_MODULE doesn't name them:
django_settings =
# The alias of this history in ACCORD["STORES"]:
accord_store = alembic

[loggers]
keys = root,alembic

[handlers]
keys = console

[formatters]
keys = plain

[logger_root]
level = WARNING
handlers = console

[logger_alembic]
level = INFO
handlers =
qualname = alembic

[handler_console]
class = StreamHandler
args = (sys.stderr,)
level = NOTSET
formatter = plain

[formatter_plain]
format = %(levelname)s %(name)s: %(message)s

"""
The engine: decides in what order steps run (pure), and runs them.

It never prints, prompts, exits, reads arguments or environment. Commands, admin and API
call :mod:`migrator.engine.api`.
"""
